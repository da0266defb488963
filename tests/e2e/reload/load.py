"""Reloads and listeners that come and go under load: not one reset, not one wrong answer."""
import threading

from harness import EdgeTest, RawClient, eventually, free_port, main


class Load(EdgeTest):
    def visitors(self, ports, count=4):
        """Clients that open a connection per request; collects what went wrong."""
        self.stop, self.problems, self.served = threading.Event(), [], 0

        def visit(n):
            while not self.stop.is_set():
                try:
                    with RawClient(ports[n % len(ports)]) as client:
                        status = client.get().response().status
                        if status != 200:
                            self.problems.append(status)
                        self.served += 1
                except (OSError, AssertionError) as problem:
                    self.problems.append(repr(problem))
        threads = [threading.Thread(target=visit, args=(n,)) for n in range(count)]
        for thread in threads:
            thread.start()

        def finish():
            self.stop.set()
            for thread in threads:
                thread.join()
        return finish

    def test_reloads_harm_nobody(self):
        first, second = self.origin(), self.origin()
        edge = self.edge(first, workers=2)
        finish = self.visitors([edge.port])
        try:
            for n in range(20):
                edge.config["pools"]["main"]["endpoints"] = [(first, second)[n % 2].address]
                edge.write()
                self.assertEqual(edge.reload()[0], 200)
        finally:
            finish()
        self.assertEqual(self.problems, [])
        self.assertGreater(self.served, 20)

    def test_other_listeners_coming_and_going_harm_nobody(self):
        edge = self.edge(self.origin(), workers=2)
        listeners = list(edge.config["listeners"])
        finish = self.visitors([edge.port])
        try:
            for n in range(10):
                extra = {"name": "extra", "address": f"127.0.0.1:{free_port()}"}
                edge.config["listeners"] = listeners + ([extra] if n % 2 else [])
                edge.write()
                self.assertEqual(edge.reload()[0], 200)
        finally:
            finish()
        self.assertEqual(self.problems, [])

    def test_a_listener_that_goes_resets_nobody_it_had_accepted(self):
        edge = self.edge(self.origin(), workers=2)
        extra = free_port()
        listeners = list(edge.config["listeners"])
        edge.config["listeners"] = [*listeners,
                                    {"name": "extra", "address": f"127.0.0.1:{extra}"}]
        edge.write()
        self.assertEqual(edge.reload()[0], 200)
        finish = self.visitors([extra])
        try:
            eventually(lambda: self.served >= 20 or self.problems, "clients are served")
            edge.config["listeners"] = listeners
            edge.write()
            self.assertEqual(edge.reload()[0], 200)
        finally:
            finish()
        # Nobody listens there any more: refused is the only thing that may happen.
        self.assertEqual([p for p in self.problems if "Refused" not in str(p)], [])


if __name__ == "__main__":
    main()
