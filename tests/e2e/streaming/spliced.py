"""Long plain bodies go from socket to socket in the kernel: what everybody sees stays the same."""
import hashlib
import os
import socket
import threading

from harness import SCALE, EdgeTest, RawClient, eventually, main

MIB = 1024 * 1024
SEED = os.urandom(MIB)
PIPES = 32                      # of a worker
PIPES_KEPT = 4
SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: bulk\r\n\r\n")


def block(number):
    """A MiB that tells its place: no two are equal."""
    at = number * 4099 % MIB
    return SEED[at:] + SEED[:at]


def digest(mebibytes):
    made = hashlib.sha256()
    for number in range(mebibytes):
        made.update(block(number))
    return made.hexdigest()


def pour(conn, mebibytes, status=b"200 OK", length=True):
    fields = b"Content-Length: %d" % (mebibytes * MIB) if length else b"X-Ends: by closing"
    conn.send(b"HTTP/1.1 " + status + b"\r\n" + fields + b"\r\n\r\n")
    for number in range(mebibytes):
        conn.send(block(number))


def take(sock, first, count=None, size=262144):
    """Hash and number of the next `count` bytes (or of all until the end)."""
    made, got = hashlib.sha256(first), len(first)
    while count is None or got < count:
        data = sock.recv(size if count is None else min(size, count - got))
        if not data:
            break
        made.update(data)
        got += len(data)
    return made.hexdigest(), got


def drink(client, count=None, **options):
    first, client.buffer = client.buffer[:count], b""
    return take(client.sock, first, count, **options)


def swallow(conn, length):
    """What came of a request's body behind its head: hash and count."""
    first = conn.received[conn.at:]
    conn.at = len(conn.received)
    return take(conn.sock, first, length)


def all_pipes(edge):
    """Pipes that the process has both ends of."""
    ends = []
    for name in os.listdir(f"/proc/{edge.pid}/fd"):
        try:
            ends.append(os.readlink(f"/proc/{edge.pid}/fd/{name}"))
        except FileNotFoundError:
            continue
    return sum(ends.count(end) == 2 for end in set(ends) if end.startswith("pipe:"))


def pipes(edge):
    """Those that came after the start: for splicing."""
    return all_pipes(edge) - edge.pipes_at_start


class Splicing(EdgeTest):
    def edge(self, /, *origins, **keys):
        edge = super().edge(*origins, **keys)
        edge.pipes_at_start = all_pipes(edge)
        return edge


class Downloads(Splicing):
    def sizes(self, conn):
        """/N: N MiB."""
        while True:
            pour(conn, int(conn.request().target[1:]))

    def test_every_byte_arrives_and_both_connections_are_used_again(self):
        origin = self.origin(self.sizes)
        edge = self.edge(origin)
        client = self.client(edge)
        for mebibytes in (1, 64, 3, 1):
            head = client.get(f"/{mebibytes}").head()
            self.assertEqual(head.get("content-length"), str(mebibytes * MIB))
            self.assertEqual(drink(client, mebibytes * MIB),
                             (digest(mebibytes), mebibytes * MIB))
        self.assertEqual(len(origin.connections), 1)
        self.assertEqual([line["bytes_out"] for line in edge.log(4)],
                         [size * MIB for size in (1, 64, 3, 1)])
        self.assertEqual({line["outcome"] for line in edge.log(4)}, {"ok"})
        self.assertGreaterEqual(pipes(edge), 1)         # it did go this way
        self.assertLessEqual(pipes(edge), PIPES_KEPT)

    def test_a_slow_client_gets_every_byte(self):
        edge = self.edge(self.origin(self.sizes))
        client = self.client(edge, receive_buffer=4096).get("/4")
        client.head()
        self.assertEqual(drink(client, 4 * MIB, size=3001), (digest(4), 4 * MIB))
        self.assertEqual(edge.log(1)[0]["bytes_out"], 4 * MIB)

    def test_what_a_slow_origin_sends_arrives_at_once(self):
        arrived = threading.Semaphore(0)
        steps = [SEED[:size] for size in (70_000, 1, 20_000, 1460, 1, 1, 150_000, 3)]

        def script(conn):
            conn.request()
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
                      % sum(len(step) for step in steps))
            for step in steps:
                conn.send(step)
                if not arrived.acquire(timeout=10 * SCALE):
                    raise AssertionError("a step that did not arrive")
        client = self.client(self.edge(self.origin(script))).get()
        client.head()
        for step in steps:
            self.assertEqual(client.exactly(len(step)), step)
            arrived.release()

    def test_a_body_that_ends_with_its_connection(self):
        def script(conn):
            conn.request()
            pour(conn, 8, length=False)
        edge = self.edge(self.origin(script))
        client = self.client(edge).send(b"GET / HTTP/1.0\r\nHost: site.test\r\n\r\n")
        client.head()
        self.assertEqual(drink(client), (digest(8), 8 * MIB))
        self.assertEqual(edge.log(1)[0]["bytes_out"], 8 * MIB)
        self.assertGreaterEqual(pipes(edge), 1)

    def test_no_body_no_bytes(self):
        def script(conn):
            while True:
                status = {"/204": b"204 No Content\r\n",
                          "/304": b"304 Not Modified\r\nContent-Length: 1048576\r\n",
                          "/head": b"200 OK\r\nContent-Length: 1048576\r\n"}
                conn.send(b"HTTP/1.1 " + status[conn.request().target] + b"\r\n")
        origin = self.origin(script)
        edge = self.edge(origin)
        client = self.client(edge)
        for _ in range(2):
            self.assertEqual(client.get("/204").final().status, 204)
            self.assertEqual(client.get("/304").final().status, 304)
            client.send(b"HEAD /head HTTP/1.1\r\nHost: site.test\r\n\r\n")
            self.assertEqual(client.final("HEAD").get("content-length"), "1048576")
        self.assertEqual(len(origin.connections), 1)
        self.assertEqual(pipes(edge), 0)

    def test_bytes_behind_the_body_are_nobodys_answer(self):
        def script(conn):
            conn.request()
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % MIB + block(0)
                      + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
            conn.until_closed()
        origin = self.origin(script)
        edge = self.edge(origin)
        client = self.client(edge)
        for count in (1, 2, 3):
            client.get().head()
            self.assertEqual(drink(client, MIB), (digest(1), MIB))
            self.assertEqual(len(origin.wait_connections(count)), count)

    def test_others_are_served_meanwhile(self):
        def script(conn):
            if conn.request().target != "/endless":
                conn.answer(b"small", "200 OK", "Connection: close")
                return
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (1 << 50))
            while True:
                conn.send(SEED)
        edge = self.edge(self.origin(script))
        greedy = [self.client(edge).get("/endless") for _ in range(3)]

        def pull(client):
            try:
                while client.sock.recv(MIB):
                    pass
            except OSError:
                pass
        threads = [threading.Thread(target=pull, args=(client,)) for client in greedy]
        for thread in threads:
            thread.start()
        try:
            for _ in range(20):
                self.assertEqual(self.fetch(edge, "/small").body, b"small")
        finally:
            for client in greedy:
                client.sock.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()

    def test_more_slow_clients_than_pipes(self):
        origin = self.origin(self.sizes)
        edge = self.edge(origin)
        clients = [self.client(edge, receive_buffer=65536).get("/8") for _ in range(PIPES + 8)]
        for client in clients:
            client.head()
        eventually(lambda: pipes(edge) == PIPES, "every pipe is held by a client that waits")
        expected = digest(8)
        got = []
        threads = [threading.Thread(target=lambda client=client: got.append(drink(client, 8 * MIB)))
                   for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
            self.assertLessEqual(pipes(edge), PIPES)
        self.assertEqual(got, [(expected, 8 * MIB)] * len(clients))
        self.assertEqual(self.fetch(edge, "/1").body, block(0))
        self.assertLessEqual(pipes(edge), PIPES_KEPT)

    def test_what_the_cache_keeps_is_seen(self):
        edge = self.edge(self.origin(self.sizes), routes=[
            {"name": "all", "pools": ["main"],
             "cache": {"enabled": True, "default_ttl": "60s"}}])
        for _ in range(2):
            self.assertEqual(self.fetch(edge, "/2").body, block(0) + block(1))
        self.assertEqual(pipes(edge), 0)


class Uploads(Splicing):
    def hashes(self, conn):
        while True:
            length = int(conn.head().get("content-length", "0"))
            made, got = swallow(conn, length)
            conn.answer(f"{got} {made}".encode())

    def upload(self, client, mebibytes, *fields):
        client.send(b"\r\n".join([b"PUT /up HTTP/1.1", b"Host: site.test",
                                  b"Content-Length: %d" % (mebibytes * MIB), *fields])
                    + b"\r\n\r\n")
        for number in range(mebibytes):
            client.send(block(number))

    def test_every_byte_arrives_and_both_connections_are_used_again(self):
        origin = self.origin(self.hashes)
        edge = self.edge(origin)
        client = self.client(edge)
        expected = {mebibytes: f"{mebibytes * MIB} {digest(mebibytes)}"
                    for mebibytes in (1, 64, 2)}
        for mebibytes in expected:
            self.upload(client, mebibytes)
            self.assertEqual(client.final().body.decode(), expected[mebibytes])
        self.assertEqual(len(origin.connections), 1)
        self.assertEqual([line["bytes_in"] for line in edge.log(3)], [MIB, 64 * MIB, 2 * MIB])
        self.assertGreaterEqual(pipes(edge), 1)
        self.assertLessEqual(pipes(edge), PIPES_KEPT)

    def test_the_next_request_stands_right_behind_the_body(self):
        client = self.client(self.edge(self.origin(self.hashes)))
        client.send(b"POST /up HTTP/1.1\r\nHost: site.test\r\nContent-Length: %d\r\n\r\n"
                    % (2 * MIB) + block(0) + block(1)
                    + b"GET /next HTTP/1.1\r\nHost: site.test\r\n\r\n")
        self.assertEqual(client.final().body.decode(), f"{2 * MIB} {digest(2)}")
        self.assertEqual(client.final().body.decode(), f"0 {digest(0)}")

    def test_a_slow_origin_and_an_expectation(self):
        def script(conn):
            length = int(conn.head().get("content-length"))
            conn.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            made = take(conn.sock, b"", length, size=5003)
            conn.answer(f"{made[1]} {made[0]}".encode())
        edge = self.edge(self.origin(script, receive_buffer=4096))
        client = self.client(edge)
        client.send(b"POST /up HTTP/1.1\r\nHost: site.test\r\nContent-Length: %d\r\n"
                    b"Expect: 100-continue\r\n\r\n" % (4 * MIB))
        self.assertEqual(client.response().status, 100)
        for number in range(4):
            client.send(block(number))
        self.assertEqual(client.final().body.decode(), f"{4 * MIB} {digest(4)}")

    def test_an_answer_before_the_end_is_seen(self):
        def script(conn):
            conn.head()
            conn.answer(b"enough", "413 Content Too Large", "Connection: close")
            conn.swallow(3 * MIB)
            conn.until_closed()
        edge = self.edge(self.origin(script))
        client = self.client(edge)
        client.send(b"POST /up HTTP/1.1\r\nHost: site.test\r\nContent-Length: %d\r\n\r\n"
                    % (1 << 40))
        self.assertEqual(client.final().status, 413)

    def test_a_client_that_dies_halfway(self):
        ended = []

        def script(conn):
            conn.head()
            try:
                conn.swallow(1 << 40)
            except OSError:
                ended.append("reset")
                raise
            finally:
                ended.append(conn.ended)
        for leave in (RawClient.reset, RawClient.close):
            edge = self.edge(self.origin(script))
            client = self.client(edge)
            client.send(b"POST /up HTTP/1.1\r\nHost: site.test\r\nContent-Length: %d\r\n\r\n"
                        % (1 << 40))
            for number in range(8):
                client.send(block(number))
            leave(client)
            line = edge.log(1)[0]
            self.assertEqual((line["status"], line["outcome"]), (499, "client_closed"))
            eventually(lambda: ended, "the origin sees the end")
            ended.clear()

    def test_an_origin_that_dies_halfway(self):
        def script(conn):
            conn.head()
            conn.swallow(4 * MIB)
            conn.reset()
        edge = self.edge(self.origin(script))
        client = self.client(edge)
        client.send(b"POST /up HTTP/1.1\r\nHost: site.test\r\nContent-Length: %d\r\n\r\n"
                    % (1 << 40))
        try:
            for number in range(64):
                client.send(block(number))
        except ConnectionError:
            pass
        line = edge.log(1)[0]
        self.assertEqual((line["status"], line["outcome"]), (502, "upstream_reset"))
        self.assertLessEqual(pipes(edge), PIPES_KEPT)


class Ends(Splicing):
    def broken_off(self, end, length=True):
        """The origin ends in the middle of 8 MiB, `end(conn)`; what the client and the log see."""
        sent = threading.Event()

        def script(conn):
            conn.request()
            fields = b"Content-Length: %d" % (8 * MIB) if length else b"X-Ends: by closing"
            conn.send(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n\r\n")
            for number in range(5):
                conn.send(block(number))
            conn.wait(sent)
            end(conn)
        edge = self.edge(self.origin(script))
        client = self.client(edge).send(
            b"GET / HTTP/1.%d\r\nHost: site.test\r\n\r\n" % (1 if length else 0))
        client.head()
        self.assertEqual(drink(client, 5 * MIB), (digest(5), 5 * MIB))
        sent.set()
        self.assertEqual(client.rest(), b"")
        line = edge.log(1)[0]
        self.assertEqual((line["status"], line["outcome"]), (200, "upstream_truncated"))
        self.assertEqual(line["bytes_out"], 5 * MIB)
        self.assertLessEqual(pipes(edge), PIPES_KEPT)
        return client

    def test_an_origin_that_ends_early(self):
        self.broken_off(lambda conn: None)

    def test_an_origin_that_breaks(self):
        self.broken_off(lambda conn: conn.reset())

    def test_an_origin_that_breaks_where_only_a_reset_can_tell(self):
        self.assertTrue(self.broken_off(lambda conn: conn.reset(), length=False).was_reset)

    def endless(self, conn):
        conn.request()
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (1 << 50))
        while True:
            conn.send(SEED)

    def test_a_client_that_dies_while_a_pipe_is_in_use(self):
        for leave in (RawClient.reset, RawClient.close):
            origin = self.origin(self.endless)
            edge = self.edge(origin)
            client = self.client(edge, receive_buffer=4096).get()
            client.head()
            eventually(lambda: pipes(edge) == 1, "a pipe is there")
            leave(client)
            line = edge.log(1)[0]
            self.assertEqual(line["outcome"], "client_closed")
            self.assertTrue(origin.connections[0].done.wait(10 * SCALE), "the origin is let go")
            self.assertLessEqual(pipes(edge), 1)

    def test_a_client_that_stalls(self):
        edge = self.edge(self.origin(self.endless), timeouts={"client_write": "300ms"})
        client = self.client(edge, receive_buffer=4096).get()
        self.assertEqual(edge.log(1)[0]["outcome"], "client_stalled")
        self.assertEqual(pipes(edge), 0)                # it was not empty
        client.close()

    def test_an_origin_that_stalls(self):
        release = threading.Event()

        def script(conn):
            conn.request()
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (8 * MIB))
            conn.send(block(0) + block(1))
            conn.wait(release)
        edge = self.edge(self.origin(script), timeouts={"upstream_body": "300ms"})
        client = self.client(edge).get()
        client.head()
        self.assertEqual(drink(client), (digest(2), 2 * MIB))
        self.assertEqual(edge.log(1)[0]["outcome"], "upstream_stalled")
        release.set()

    def test_the_hard_end_of_a_request_that_never_has_to_wait(self):
        edge = self.edge(self.origin(self.endless), timeouts={"request": "500ms"})
        client = self.client(edge).get()
        self.assertGreater(drink(client)[1], 0)
        self.assertEqual(edge.log(1)[0]["outcome"], "request_timeout")

    def test_a_client_that_stops_sending(self):
        def script(conn):
            conn.head()
            conn.swallow(1 << 40)
        edge = self.edge(self.origin(script), timeouts={"client_body": "300ms"})
        client = self.client(edge)
        client.send(b"POST /up HTTP/1.1\r\nHost: site.test\r\nContent-Length: %d\r\n\r\n"
                    % (8 * MIB) + block(0) + block(1))
        self.assertEqual(client.final().status, 408)
        self.assertEqual(edge.log(1)[0]["outcome"], "client_body_timeout")

    def test_urgent_data_stops_nothing(self):
        """splice(2) stops before it; a read leaves it out."""
        def script(conn):
            conn.request()
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (4 * MIB))
            conn.send(block(0) + block(1))
            conn.sock.send(b"!", socket.MSG_OOB)
            conn.send(block(2) + block(3))
            conn.until_closed()
        client = self.client(self.edge(self.origin(script))).get()
        client.head()
        self.assertEqual(drink(client, 4 * MIB), (digest(4), 4 * MIB))


class Tunnels(Splicing):
    ASK = (b"GET /bulk HTTP/1.1\r\nHost: site.test\r\nConnection: Upgrade\r\n"
           b"Upgrade: bulk\r\n\r\n")

    def test_much_goes_both_ways_at_once_and_half_closes_pass(self):
        got = []

        def script(conn):
            conn.head()
            conn.send(SWITCH)

            def pour_on():
                for number in range(24):
                    conn.sock.sendall(block(number))
                conn.half_close()
            thread = threading.Thread(target=pour_on)
            thread.start()
            got.append(swallow(conn, None))
            thread.join()
        edge = self.edge(self.origin(script))
        client = self.client(edge).send(self.ASK)
        self.assertEqual(client.response().status, 101)

        def pour_up():
            for number in range(16):
                client.send(block(number))
            client.half_close()
        thread = threading.Thread(target=pour_up)
        thread.start()
        self.assertEqual(drink(client), (digest(24), 24 * MIB))
        thread.join()
        eventually(lambda: got, "the origin has it all")
        self.assertEqual(got[0], (digest(16), 16 * MIB))
        line = edge.log(1)[0]
        self.assertEqual((line["bytes_in"], line["bytes_out"]), (16 * MIB, 24 * MIB))
        self.assertGreaterEqual(pipes(edge), 1)

    def test_small_messages_between_large_ones(self):
        def script(conn):
            conn.head()
            conn.send(SWITCH)
            while True:
                at = len(conn.received)
                conn.more()
                conn.send(conn.received[at:])
        client = self.client(self.edge(self.origin(script))).send(self.ASK)
        self.assertEqual(client.response().status, 101)
        for size in (1, 200_000, 3, 70_000, 5, 300_000, 1, 1):
            client.send(SEED[:size])
            self.assertEqual(client.exactly(size), SEED[:size])


if __name__ == "__main__":
    main()
