/** The editor's side: commands, the tree, diagnostics and messages. What they mean is in the other files. */

import { readFileSync } from "node:fs";

import * as vscode from "vscode";

import { contextOf, iconOf, type Node, type TaskNode } from "./goals.js";
import { type Place, Session } from "./session.js";
import { type Finding, validate } from "./validation.js";

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const extension = new Extension(context);
  context.subscriptions.push(extension);
  await extension.begin();
}

class Extension implements vscode.Disposable {
  readonly #session: Session;
  readonly #tree: GoalTree;
  readonly #diagnostics = vscode.languages.createDiagnosticCollection("hito");
  readonly #status = vscode.window.createStatusBarItem(vscode.StatusBarAlignment.Left);
  readonly #disposables: vscode.Disposable[] = [];

  constructor(context: vscode.ExtensionContext) {
    this.#session = new Session(context.secrets, {
      changed: () => this.#tree.changed(),
      news: (text) => this.#tell(text),
      interrupted: (text) => this.#interrupted(text),
      signedOut: (why) => void this.#signedOut(why),
    });
    this.#tree = new GoalTree(this.#session);
    this.#disposables.push(
      this.#diagnostics, this.#status, vscode.window.registerTreeDataProvider("hito.goals", this.#tree),
    );
    this.#command("hito.signIn", () => this.#signIn());
    this.#command("hito.signOut", () => this.#signOut());
    this.#command("hito.refresh", () => this.#session.refresh());
    this.#command("hito.startTask", (task) => this.#session.startTask(task as TaskNode));
    this.#command("hito.completeTask", (task) => this.#session.completeTask(task as TaskNode));
    this.#command("hito.validateFile", () => this.#validate(""));
    this.#command("hito.validateForTask", (task) => this.#validate((task as TaskNode).id));
  }

  /** Continues where the editor was closed. */
  async begin(): Promise<void> {
    await this.#guarded(async () => await this.#signedIn(await this.#session.resume(placeOf())));
  }

  dispose(): void {
    void this.#session.close();
    for (const disposable of this.#disposables) disposable.dispose();
  }

  async #signIn(): Promise<void> {
    const place = placeOf();
    const token = await vscode.window.showInputBox({
      title: `Hito: ${place.address}`, prompt: "Token, from `hito token create`", password: true, ignoreFocusOut: true,
    });
    if (!token) return;
    await this.#session.signIn(place, token.trim());
    await this.#signedIn(true);
  }

  async #signOut(): Promise<void> {
    await this.#session.signOut(placeOf());
    this.#diagnostics.clear();
    await this.#signedIn(false);
  }

  async #signedOut(why: string): Promise<void> {
    await this.#session.close();
    await this.#signedIn(false);
    void vscode.window.showWarningMessage(`Hito: ${why}`);
  }

  async #signedIn(isSignedIn: boolean): Promise<void> {
    await vscode.commands.executeCommand("setContext", "hito.signedIn", isSignedIn);
  }

  async #validate(taskId: string): Promise<void> {
    const document = vscode.window.activeTextEditor?.document;
    const { client } = this.#session;
    if (document === undefined || client === undefined) {
      void vscode.window.showInformationMessage("Hito: sign in and open a file first.");
      return;
    }
    const name = document.uri.path.split("/").at(-1) ?? "";
    const options = { location: vscode.ProgressLocation.Notification, title: `Hito: ${name}`, cancellable: true };
    await vscode.window.withProgress(options, async (progress, cancellation) => {
      const cancel = new AbortController();
      cancellation.onCancellationRequested(() => cancel.abort());
      const show = (findings: readonly Finding[]) =>
        this.#diagnostics.set(document.uri, findings.map(diagnosticOf));
      show([]);
      const code = { name, text: document.getText(), taskId };
      const onProgress = (stage: string) => progress.report({ message: stage });
      const outcome = await validate(client, code, cancel.signal, onProgress, show);
      if (cancel.signal.aborted) return;
      show(outcome.findings);
      void vscode.window.showInformationMessage(`Hito: ${outcome.summary}`);
    });
  }

  #tell(text: string): void {
    if (!vscode.workspace.getConfiguration("hito").get("notifications", true)) return;
    void vscode.window.showInformationMessage(`Hito: ${text}`);
  }

  #interrupted(text: string): void {
    if (text === "") return this.#status.hide();
    this.#status.text = "$(sync~spin) Hito";
    this.#status.tooltip = text;
    this.#status.show();
  }

  #command(name: string, run: (argument: unknown) => Promise<void>): void {
    const command = vscode.commands.registerCommand(name, (argument: unknown) => this.#guarded(() => run(argument)));
    this.#disposables.push(command);
  }

  /** What fails is told, and ends nothing else. */
  async #guarded(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      void vscode.window.showErrorMessage(`Hito: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

class GoalTree implements vscode.TreeDataProvider<Node> {
  readonly #session: Session;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.#changed.event;

  constructor(session: Session) {
    this.#session = session;
  }

  changed(): void {
    this.#changed.fire();
  }

  getChildren(node?: Node): Node[] {
    if (node === undefined) return [...this.#session.goals];
    return node.kind === "goal" ? [...node.tasks] : [];
  }

  getTreeItem(node: Node): vscode.TreeItem {
    const state = node.kind === "goal"
      ? vscode.TreeItemCollapsibleState.Expanded
      : vscode.TreeItemCollapsibleState.None;
    const item = new vscode.TreeItem(node.title, state);
    item.id = node.id;
    item.contextValue = contextOf(node);
    item.iconPath = new vscode.ThemeIcon(iconOf(node.status));
    if (node.kind === "goal") item.description = `${Math.round(node.progress)} %`;
    return item;
  }
}

/** The server of the settings, read when it is needed. */
function placeOf(): Place {
  const settings = vscode.workspace.getConfiguration("hito");
  const caFile = settings.get("caFile", "");
  const tls = caFile === "" ? {} : { ca: readFileSync(caFile, "utf8") };
  return { address: settings.get("address", "127.0.0.1:7443"), options: { tls, agent: "hito-vscode/0.1.0" } };
}

function diagnosticOf(finding: Finding): vscode.Diagnostic {
  const { start, end, message, level, source, rule, ruleUrl } = finding;
  const range = new vscode.Range(start.line, start.character, end.line, end.character);
  const severities = {
    error: vscode.DiagnosticSeverity.Error,
    warning: vscode.DiagnosticSeverity.Warning,
    note: vscode.DiagnosticSeverity.Information,
  };
  const diagnostic = new vscode.Diagnostic(range, message, severities[level]);
  diagnostic.source = source;
  // A link only to what a browser opens: the server's tools say it.
  const isLink = /^https:\/\//.test(ruleUrl);
  diagnostic.code = isLink ? { value: rule, target: vscode.Uri.parse(ruleUrl) } : rule;
  return diagnostic;
}
