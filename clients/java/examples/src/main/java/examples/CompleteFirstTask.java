package examples;

import hito.Client;
import hito.HitoException;
import hito.v1.Goals.CreateGoalRequest;
import hito.v1.Goals.CreateGoalResponse;
import hito.v1.Goals.NewTask;
import hito.v1.Tasks.CompleteTaskRequest;
import java.nio.file.Path;

/** Makes a goal with two tasks and completes the first: CompleteFirstTask ADDRESS CA-FILE TOKEN */
public final class CompleteFirstTask {
  private CompleteFirstTask() {}

  /** Runs it. */
  public static void main(String[] arguments) {
    try (Client client =
        Client.builder(arguments[0])
            .caFile(Path.of(arguments[1]))
            .token(arguments[2])
            .connect()) {
      CreateGoalResponse made =
          client
              .goals()
              .createGoal(
                  CreateGoalRequest.newBuilder()
                      .setTitle("Aprender Java")
                      .addTasks(NewTask.newBuilder().setTitle("Primera API"))
                      .addTasks(NewTask.newBuilder().setTitle("Pruebas"))
                      .build());
      CompleteTaskRequest first =
          CompleteTaskRequest.newBuilder().setTaskId(made.getTasks(0).getId()).build();
      System.out.println(
          client.tasks().completeTask(first).getGoal().getProgressPercentage() + " %");
    } catch (HitoException error) {
      System.err.println(error.getMessage());
      System.exit(1);
    }
  }
}
