"""Of two servers, the one that gives positions is stopped while its connections stay."""

from __future__ import annotations

import contextlib
import signal

from history import Watcher, ids, read_all
from history_world import Cluster, Deployment
from hito import v1


async def test_another_server_takes_over_from_a_leader_that_is_stopped():
    cluster = Cluster()
    place = Deployment(cluster, "stopped")
    try:
        cluster.create()
        await place.start()
        leader = await place.leader()
        async with contextlib.AsyncExitStack() as stack:
            admin = place.servers[0].admin()
            client = await place.connect(admin, 1 - leader, is_only=True)
            await stack.enter_async_context(client)
            watcher = Watcher(client)
            stack.push_async_callback(watcher.close)
            await watcher.caught_up()
            place.servers[leader].signal(signal.SIGSTOP)
            try:
                made = await client.goals.create_goal(v1.CreateGoalRequest(title="Nadie la vio"))
                # The kernel answers for a stopped process: without an end of its own its session
                # would keep the lock.
                await watcher.wait_for(
                    "the goal", lambda: made.goal.id in [e.entity_id for e in watcher.events]
                )
            finally:
                place.servers[leader].signal(signal.SIGCONT)
            assert await place.leader() == 1 - leader
            stopped = await place.connect(admin, leader, is_only=True)
            await stack.enter_async_context(stopped)
            seen = ids(await read_all(stopped, min_cursor=made.receipt.cursor))
            assert seen == ids(await read_all(client))
            await watcher.has(len(seen))
            assert ids(watcher.events) == seen
    finally:
        await place.remove()
        cluster.remove()
