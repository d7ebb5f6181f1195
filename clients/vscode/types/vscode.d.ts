/** The parts of the editor's API that the extension uses, for compilers without its type package. */

declare module "vscode" {
  interface Disposable {
    dispose(): void;
  }
  interface Event<T> {
    (listener: (event: T) => void): Disposable;
  }
  class EventEmitter<T> {
    readonly event: Event<T>;
    fire(event: T): void;
  }

  interface SecretStorage {
    get(key: string): Promise<string | undefined>;
    store(key: string, value: string): Promise<void>;
    delete(key: string): Promise<void>;
  }
  interface ExtensionContext {
    readonly subscriptions: Disposable[];
    readonly secrets: SecretStorage;
  }

  class Uri {
    static parse(text: string): Uri;
    readonly path: string;
  }
  class Range {
    constructor(startLine: number, startCharacter: number, endLine: number, endCharacter: number);
  }
  enum DiagnosticSeverity {
    Error,
    Warning,
    Information,
  }
  class Diagnostic {
    constructor(range: Range, message: string, severity: DiagnosticSeverity);
    source?: string;
    code?: string | { value: string; target: Uri };
  }
  interface DiagnosticCollection extends Disposable {
    set(uri: Uri, diagnostics: readonly Diagnostic[]): void;
    clear(): void;
  }
  namespace languages {
    function createDiagnosticCollection(name: string): DiagnosticCollection;
  }

  class ThemeIcon {
    constructor(id: string);
  }
  enum TreeItemCollapsibleState {
    None,
    Collapsed,
    Expanded,
  }
  class TreeItem {
    constructor(label: string, state: TreeItemCollapsibleState);
    id?: string;
    description?: string;
    contextValue?: string;
    iconPath?: ThemeIcon;
  }
  interface TreeDataProvider<T> {
    readonly onDidChangeTreeData: Event<void>;
    getChildren(element?: T): T[];
    getTreeItem(element: T): TreeItem;
  }

  enum StatusBarAlignment {
    Left = 1,
    Right,
  }
  interface StatusBarItem extends Disposable {
    text: string;
    tooltip: string;
    show(): void;
    hide(): void;
  }
  enum ProgressLocation {
    Notification = 15,
  }
  interface CancellationToken {
    readonly onCancellationRequested: Event<void>;
  }
  interface TextDocument {
    readonly uri: Uri;
    getText(): string;
  }
  namespace window {
    const activeTextEditor: { readonly document: TextDocument } | undefined;
    function createStatusBarItem(alignment: StatusBarAlignment): StatusBarItem;
    function registerTreeDataProvider<T>(view: string, provider: TreeDataProvider<T>): Disposable;
    function showInputBox(options: {
      title: string; prompt: string; password: boolean; ignoreFocusOut: boolean;
    }): Promise<string | undefined>;
    function showInformationMessage(text: string): Promise<string | undefined>;
    function showWarningMessage(text: string): Promise<string | undefined>;
    function showErrorMessage(text: string): Promise<string | undefined>;
    function withProgress<T>(
      options: { location: ProgressLocation; title: string; cancellable: boolean },
      task: (
        progress: { report(step: { message: string }): void }, token: CancellationToken,
      ) => Promise<T>,
    ): Promise<T>;
  }
  namespace commands {
    function registerCommand(name: string, run: (argument: unknown) => unknown): Disposable;
    function executeCommand(name: string, ...more: unknown[]): Promise<unknown>;
  }
  namespace workspace {
    function getConfiguration(section: string): { get<T>(name: string, otherwise: T): T };
  }
}
