/** Code that is validated, and what the tools say of it as places in a text. Knows no editor. */

import { nameOf, v1 } from "hito";

/** A place in a text as editors count: lines and UTF-16 units, from 0. */
export interface Place {
  readonly line: number;
  readonly character: number;
}

export interface Finding {
  readonly start: Place;
  readonly end: Place;
  readonly message: string;
  readonly level: "error" | "warning" | "note";
  /** The tool. */
  readonly source: string;
  readonly rule: string;
  readonly ruleUrl: string;
}

export interface Outcome {
  readonly findings: readonly Finding[];
  /** For people. */
  readonly summary: string;
  readonly verdict: v1.Verdict;
}

/** What of a client is needed. */
export interface Validator {
  readonly codeValidation: {
    validateResuming(
      request: { readonly submission: { readonly files: readonly { path: string; content: string }[]; taskId: string } },
      options: { readonly signal: AbortSignal },
    ): AsyncIterable<v1.ValidateCodeResponse>;
  };
}

export interface Code {
  /** Without folders. */
  readonly name: string;
  readonly text: string;
  /** The task that it answers; empty where none. */
  readonly taskId: string;
}

/** Validates code; `onProgress` hears what stage it is at, and `onFindings` what was found so far. */
export async function validate(
  client: Validator, { name, text, taskId }: Code, signal: AbortSignal,
  onProgress: (stage: string) => void, onFindings: (findings: readonly Finding[]) => void,
): Promise<Outcome> {
  const lines = text.split(/\r\n|\r|\n/);
  let findings: Finding[] = [];
  let attempt = 0;
  let tests = { passed: 0, all: 0 };
  let verdict: v1.Verdict = v1.Verdict.UNSPECIFIED;
  const submission = { files: [{ path: name, content: text }], taskId };
  for await (const response of client.codeValidation.validateResuming({ submission }, { signal })) {
    if (response.attempt > attempt && attempt > 0) {
      // Another server began anew: what was said before is void.
      findings = [];
      tests = { passed: 0, all: 0 };
    }
    attempt = response.attempt || attempt;
    const { step } = response;
    switch (step?.case) {
      case "started":
        onProgress(nameOf(v1.ValidationStage, response.stage).toLowerCase().split("_").join(" "));
        break;
      case "queued":
        onProgress("waiting for a place");
        break;
      case "diagnostic":
        if (step.value.path === "" || step.value.path === name) findings.push(findingOf(step.value, lines));
        onFindings([...findings]);
        break;
      case "test":
        tests.all += 1;
        if (step.value.status === v1.TestStatus.PASS) tests.passed += 1;
        break;
      case "result":
        verdict = step.value.verdict;
        break;
    }
  }
  const ofTests = tests.all === 0 ? "" : `, ${tests.passed} of ${tests.all} tests passed`;
  const summary = `${name}: ${nameOf(v1.Verdict, verdict).toLowerCase()}${ofTests}, ${findings.length} findings`;
  return { findings, summary, verdict };
}

export function findingOf(diagnostic: v1.Diagnostic, lines: readonly string[]): Finding {
  const start = placeOf(diagnostic.line, diagnostic.column, lines);
  const hasEnd = diagnostic.endLine > 0;
  const end = hasEnd ? placeOf(diagnostic.endLine, diagnostic.endColumn, lines) : endOfWord(start, lines);
  return {
    start,
    end,
    message: diagnostic.message,
    level: diagnostic.level === v1.DiagnosticLevel.ERROR
      ? "error"
      : diagnostic.level === v1.DiagnosticLevel.WARNING ? "warning" : "note",
    source: diagnostic.tool,
    rule: diagnostic.ruleId,
    ruleUrl: diagnostic.ruleUrl,
  };
}

/** From lines and code points from 1 to an editor's; always inside the text. */
function placeOf(line: number, column: number, lines: readonly string[]): Place {
  const place = Math.min(Math.max(line - 1, 0), Math.max(lines.length - 1, 0));
  const before = Array.from(lines[place] ?? "").slice(0, Math.max(column - 1, 0));
  return { line: place, character: before.join("").length };
}

function endOfWord({ line, character }: Place, lines: readonly string[]): Place {
  const rest = (lines[line] ?? "").slice(character);
  const word = /^\w+|^./u.exec(rest)?.[0] ?? "";
  return { line, character: character + word.length };
}
