package examples

import hito.Client
import hito.HitoException
import hito.v1.Goals.CreateGoalRequest
import hito.v1.Progress.WatchRequest
import java.nio.file.Paths

/** Makes a goal and prints the events of all that follow: FollowGoalsKt ADDRESS CA-FILE TOKEN */
fun main(arguments: Array<String>) {
    val (address, authority, token) = arguments
    val client = Client.builder(address).caFile(Paths.get(authority)).token(token).connect()
    // `use` where the standard library of Kotlin is that of JDK 7 or later.
    try {
        val request = CreateGoalRequest.newBuilder().setTitle("Aprender Kotlin").build()
        println(client.goals().createGoal(request).goal.id)
        for (step in client.progress().watchResuming(WatchRequest.getDefaultInstance())) {
            if (step.hasEvent()) println(step.event.type)
        }
    } catch (error: HitoException.InvalidArgument) {
        error.details().fieldViolationsList.forEach { println("${it.field}: ${it.description}") }
    } finally {
        client.close()
    }
}
