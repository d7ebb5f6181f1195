package hito;

import java.util.ArrayList;
import java.util.List;

/** What a caller gives up: the calls that were made for it, also those that are made later. */
final class Cancellation {
  private final List<Runnable> tasks = new ArrayList<>(1);
  private boolean isCancelled;

  void onCancel(Runnable task) {
    synchronized (this) {
      if (!isCancelled) {
        tasks.add(task);
        return;
      }
    }
    task.run();
  }

  void cancel() {
    List<Runnable> all;
    synchronized (this) {
      if (isCancelled) {
        return;
      }
      isCancelled = true;
      all = List.copyOf(tasks);
    }
    all.forEach(Runnable::run);
  }
}
