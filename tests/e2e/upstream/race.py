"""A connect that hangs is raced by others, until one of them comes about."""
import socket
import threading

from harness import EdgeTest, eventually, free_port, main


class Race(EdgeTest):
    def hole(self):
        """An address where a connect hangs: its backlog is full."""
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        self.addCleanup(listener.close)
        for _ in range(3):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
            self.addCleanup(waiting.close)
        return "127.0.0.1:%d" % listener.getsockname()[1]

    def raced(self, pools, route):
        """The first one hangs for longer than any test waits."""
        return self.edge(pools=pools, timeouts={"connect": "5m"},
                         routes=[{"name": "all", "failover": {"connect_race": "5ms"}, **route}])

    def test_room_that_comes_later_is_taken(self):
        freed = threading.Event()

        def busy(conn):
            while True:
                if conn.request().target == "/hold":
                    conn.wait(freed)
                conn.answer(b"x")
        origin, hole = self.origin(busy), self.hole()
        edge = self.raced({"main": {"endpoints": [hole, origin.address],
                                    "limits": {"endpoint": {"in_flight": 1}}}},
                          {"pools": ["main"], "balance": "round_robin"})
        holds = threading.Thread(target=self.fetch, args=(edge, "/hold"))
        holds.start()       # whichever is first: the hole is raced by the origin
        eventually(lambda: origin.requests(), "the origin is busy")
        statuses = []
        posts = threading.Thread(
            target=lambda: statuses.append(self.fetch(edge, "/x", method="POST", body=b"p").status))
        posts.start()
        for _ in range(30):     # long enough for the race to have found the other one busy
            eventually(lambda: self.in_flight(edge, hole) == 1, "somebody connects to the hole")
        freed.set()
        holds.join()
        posts.join()
        self.assertEqual(statuses, [200])

    @staticmethod
    def in_flight(edge, address):
        endpoints = edge.status()["pools"][0]["endpoints"]
        return next(one["in_flight"] for one in endpoints if one["address"] == address)

    def test_who_refuses_is_not_the_last_that_is_tried(self):
        origin, refusing = self.origin(), [f"127.0.0.1:{free_port()}" for _ in range(3)]
        edge = self.raced({"hangs": {"endpoints": [self.hole()]},
                           "refuses": {"endpoints": refusing},
                           "well": {"endpoints": [origin.address]}},
                          {"pools": ["hangs", {"name": "refuses", "priority": 1},
                                     {"name": "well", "priority": 2}]})
        self.assertEqual(self.fetch(edge, method="POST", body=b"p").status, 200)


if __name__ == "__main__":
    main()
