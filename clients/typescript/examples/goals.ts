/** Makes a goal, completes its tasks, and watches live what the server says of it. */

import { readFileSync } from "node:fs";

import { Client, HitoError, nameOf, v1 } from "hito";

const client = await Client.connect(process.env["HITO_ADDRESS"] ?? "127.0.0.1:7443", {
  tls: { ca: readFileSync(process.env["HITO_CA"] ?? "ca.pem", "utf8") },
  token: process.env["HITO_ADMIN_TOKEN"] ?? "",
});

/** Until the goal is completed. */
async function follow(goalId: string): Promise<void> {
  for await (const { step } of client.progress.watchResuming({ filter: { goalIds: [goalId] } })) {
    if (step?.case === "mark") {
      // From here on nothing is missed.
      if (step.value === v1.SubscriptionMark.CAUGHT_UP) void complete(goalId);
    } else if (step?.case === "event") {
      console.log(step.value.type);
      if (step.value.type === "goal.completed") return;
    }
  }
}

async function complete(goalId: string): Promise<void> {
  const { tasks } = await client.goals.getGoal({ goalId });
  for (const task of tasks) {
    const { goal } = await client.tasks.completeTask({ taskId: task.id });
    console.log(`${task.title}: ${goal?.progressPercentage} %, ${nameOf(v1.WorkStatus, goal?.status ?? 0)}`);
  }
}

try {
  const { goal } = await client.goals.createGoal({ title: "Aprender TypeScript", tasks: [{ title: "Tipos" }] });
  await follow(goal?.id ?? "");
} catch (error) {
  if (!(error instanceof HitoError)) throw error;
  console.error(`${error.name}: ${error.message}`);
  process.exitCode = 1;
} finally {
  await client.close();
}
