"""An idle process does not wake up."""
import time

from harness import SANITIZED_SKIP, EdgeTest, eventually, main


class Idle(EdgeTest):
    def quiet_for(self, edge, seconds):
        """Wake-ups in a span of time."""
        before = edge.switches()
        time.sleep(seconds)
        return edge.switches() - before

    @SANITIZED_SKIP
    def test_nothing_happens_while_nobody_calls(self):
        edge = self.edge(self.origin(), workers=2)
        eventually(lambda: self.quiet_for(edge, 2.0) == 0, "no wake-ups", seconds=8)

    @SANITIZED_SKIP
    def test_idle_connections_cost_no_wake_ups(self):
        edge = self.edge(self.origin(), workers=2,
                         timeouts={"upstream_idle": "1h", "client_idle": "1h"})
        for _ in range(10):
            self.client(edge).get().response()
        edge.log(10)
        # Buffers go back after a second of idleness: that is a wake-up, once.
        eventually(lambda: self.quiet_for(edge, 2.0) == 0, "no more wake-ups", seconds=12)


if __name__ == "__main__":
    main()
