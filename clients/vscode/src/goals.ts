/** The goals and tasks that are shown, kept true by the log of events. Knows no editor. */

import { v1 } from "hito";

export interface TaskNode {
  readonly kind: "task";
  readonly id: string;
  readonly goalId: string;
  readonly title: string;
  readonly status: v1.WorkStatus;
}

export interface GoalNode {
  readonly kind: "goal";
  readonly id: string;
  readonly title: string;
  readonly status: v1.WorkStatus;
  readonly progress: number;
  readonly tasks: readonly TaskNode[];
}

export type Node = GoalNode | TaskNode;

/** What of a client is needed. */
export interface Source {
  readonly goals: Pick<v1.GoalServiceClient, "listGoals" | "getGoal">;
}

/** More are not shown: who has so many uses other programs. */
const GOALS_MAX = 200;
/** How many are asked for at a time. */
const BESIDE = 8;

/** The caller's goals, newest first, those in the archive left out. */
export async function readGoals(client: Source, minCursor: string, signal: AbortSignal): Promise<GoalNode[]> {
  const page = { pageSize: GOALS_MAX };
  const { goals } = await client.goals.listGoals({ page, minCursor }, { signal });
  const nodes: GoalNode[] = [];
  for (let at = 0; at < goals.length; at += BESIDE) {
    const some = goals.slice(at, at + BESIDE);
    nodes.push(...await Promise.all(some.map(({ id }) => readGoal(client, id, minCursor, signal))));
  }
  return nodes;
}

export async function readGoal(
  client: Source, goalId: string, minCursor: string, signal: AbortSignal,
): Promise<GoalNode> {
  const { goal, tasks } = await client.goals.getGoal({ goalId, minCursor }, { signal });
  return {
    kind: "goal",
    id: goalId,
    title: goal?.title ?? "",
    status: goal?.status ?? v1.WorkStatus.UNSPECIFIED,
    progress: goal?.progressPercentage ?? 0,
    tasks: tasks.map(({ id, title, status }) => ({ kind: "task", id, goalId, title, status })),
  };
}

/** What an event means for what is shown. */
export interface Change {
  /** The goal to read again; empty where nothing that is shown has changed. */
  readonly goalId: string;
  /** The goal is gone. */
  readonly isGone: boolean;
  /** What to tell; empty where nothing. */
  readonly news: string;
}

export function changeOf(event: v1.Event): Change {
  const [kind = "", verb = ""] = event.type.split(".");
  const entity = payloadOf(event);
  const goalId = kind === "goal" ? event.entityId : kind === "task" ? entity.goalId : "";
  const isGone = kind === "goal" && (verb === "deleted" || verb === "archived");
  const isNews = verb === "completed" && goalId !== "";
  return { goalId, isGone, news: isNews ? `${kind === "goal" ? "Goal" : "Task"} completed: ${entity.title}` : "" };
}

function payloadOf(event: v1.Event): { goalId: string; title: string } {
  let payload: unknown;
  try {
    payload = JSON.parse(event.payloadJson);
  } catch {
    // An event without what we want of it changes nothing.
  }
  const { goal_id: goalId, title } = (payload ?? {}) as { [name: string]: unknown };
  return { goalId: typeof goalId === "string" ? goalId : "", title: typeof title === "string" ? title : "" };
}

/** What commands there are for a task, by what its state allows: `viewItem` of the manifest. */
export function contextOf(node: Node): string {
  if (node.kind === "goal") return "goal";
  switch (node.status) {
    case v1.WorkStatus.PENDING:
      return "task.pending";
    case v1.WorkStatus.IN_PROGRESS:
      return "task.started";
    default:
      return "task.ended";
  }
}

/** The name of the editor's icon for a state. */
export function iconOf(status: v1.WorkStatus): string {
  switch (status) {
    case v1.WorkStatus.COMPLETED:
      return "pass-filled";
    case v1.WorkStatus.IN_PROGRESS:
      return "circle-large-filled";
    default:
      return "circle-large-outline";
  }
}
