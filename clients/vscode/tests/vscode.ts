/** A stand-in for the editor's module: keeps what the extension registers and says, so that tests can drive it. */

type Listener<T> = (event: T) => void;

export class EventEmitter<T> {
  readonly #listeners = new Set<Listener<T>>();
  readonly event = (listener: Listener<T>) => {
    this.#listeners.add(listener);
    return { dispose: () => void this.#listeners.delete(listener) };
  };

  fire(event: T): void {
    for (const listener of this.#listeners) listener(event);
  }
}

export class Uri {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static parse(text: string): Uri {
    return new Uri(text);
  }
}

export class Range {
  readonly ends: readonly number[];

  constructor(...ends: number[]) {
    this.ends = ends;
  }
}

export const DiagnosticSeverity = { Error: 0, Warning: 1, Information: 2 };
export const StatusBarAlignment = { Left: 1 };
export const ProgressLocation = { Notification: 15 };
export const TreeItemCollapsibleState = { None: 0, Collapsed: 1, Expanded: 2 };

export class Diagnostic {
  constructor(readonly range: Range, readonly message: string, readonly severity: number) {}
}

export class ThemeIcon {
  constructor(readonly id: string) {}
}

export class TreeItem {
  constructor(readonly label: string, readonly state: number) {}
}

/** What a test says and sees. */
export const editor = {
  settings: new Map<string, unknown>(),
  secrets: new Map<string, string>(),
  /** What the next input box is answered with. */
  input: undefined as string | undefined,
  messages: [] as string[],
  progress: [] as string[],
  context: new Map<unknown, unknown>(),
  commands: new Map<string, (argument: unknown) => unknown>(),
  diagnostics: new Map<string, readonly any[]>(),
  trees: new Map<string, any>(),
  isStatusShown: false,
};

export const context = {
  subscriptions: [] as { dispose(): void }[],
  secrets: {
    get: (key: string) => Promise.resolve(editor.secrets.get(key)),
    store: (key: string, value: string) => Promise.resolve(void editor.secrets.set(key, value)),
    delete: (key: string) => Promise.resolve(void editor.secrets.delete(key)),
  },
};

const nothing = { dispose: () => {} };

export const languages = {
  createDiagnosticCollection: () => ({
    ...nothing,
    set: (uri: Uri, diagnostics: readonly any[]) => void editor.diagnostics.set(uri.path, diagnostics),
    clear: () => editor.diagnostics.clear(),
  }),
};

function said(text: string): Promise<undefined> {
  editor.messages.push(text);
  return Promise.resolve(undefined);
}

export const window = {
  activeTextEditor: undefined as { document: { uri: Uri; getText(): string } } | undefined,
  createStatusBarItem: () => ({
    ...nothing,
    text: "",
    tooltip: "",
    show: () => void (editor.isStatusShown = true),
    hide: () => void (editor.isStatusShown = false),
  }),
  registerTreeDataProvider: (view: string, provider: unknown) => {
    editor.trees.set(view, provider);
    return nothing;
  },
  showInputBox: () => Promise.resolve(editor.input),
  showInformationMessage: said,
  showWarningMessage: said,
  showErrorMessage: said,
  withProgress: (_options: unknown, task: (progress: unknown, token: unknown) => Promise<unknown>) =>
    task(
      { report: ({ message }: { message: string }) => void editor.progress.push(message) },
      { onCancellationRequested: () => nothing },
    ),
};

export const commands = {
  registerCommand: (name: string, run: (argument: unknown) => unknown) => {
    editor.commands.set(name, run);
    return nothing;
  },
  executeCommand: (name: string, key: unknown, value: unknown) => {
    if (name === "setContext") editor.context.set(key, value);
    return Promise.resolve(undefined);
  },
};

export const workspace = {
  getConfiguration: (section: string) => ({
    get: (name: string, otherwise: unknown) => editor.settings.get(`${section}.${name}`) ?? otherwise,
  }),
};
