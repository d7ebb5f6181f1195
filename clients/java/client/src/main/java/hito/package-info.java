/**
 * A typed client of Hito, the server for learning goals: {@link hito.Client} is where to begin.
 *
 * <p>Messages and the generated clients of services are in {@code hito.v1}. What every call does by
 * itself (deadlines, repeats, keys, resuming) is written in clients/BEHAVIOUR.md.
 */
package hito;
