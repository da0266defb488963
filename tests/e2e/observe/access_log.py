"""The access log: one line per exchange, with every field of the contract."""
import re
import signal

from harness import EdgeTest, eventually, free_port, main
from harness.origin import raw

FIELDS = {"time", "client", "method", "host", "path", "version", "status", "bytes_in", "bytes_out",
          "duration_ms", "route", "upstream", "pool", "provider", "region", "attempts",
          "connect_ms", "first_byte_ms", "cache", "outcome", "request_id", "referer", "user_agent"}


class AccessLog(EdgeTest):
    def test_a_forwarded_exchange(self):
        origin = self.origin()
        edge = self.edge(pools={"aws": {"provider": "aws", "region": "us-east-1",
                                        "endpoints": [origin.address]}},
                         routes=[{"name": "all", "pools": ["aws"]}])
        response = self.fetch(edge, "/a?b=c", "Referer: http://r.test/", "User-Agent: probe/1",
                              method="POST", body=b"12345")
        line = edge.log(1)[0]
        self.assertEqual(set(line), FIELDS)
        self.assertRegex(line["time"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
        expected = {"client": "127.0.0.1", "method": "POST", "host": "site.test",
                    "path": "/a?b=c", "version": "1.1", "status": 200, "bytes_in": 5,
                    "bytes_out": len(response.body), "route": "all", "upstream": origin.address,
                    "pool": "aws", "provider": "aws", "region": "us-east-1", "attempts": 1,
                    "outcome": "ok", "request_id": response.get("x-request-id"),
                    "referer": "http://r.test/", "user_agent": "probe/1"}
        self.assertEqual({k: line[k] for k in expected}, expected)
        self.assertGreaterEqual(line["duration_ms"], line["first_byte_ms"])
        self.assertGreaterEqual(line["first_byte_ms"], 0)
        self.assertGreater(line["connect_ms"], 0)

    def test_bytes_are_those_of_the_bodies_without_coding(self):
        edge = self.edge(self.origin(raw(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n"
            b"0\r\n\r\n")))
        client = self.client(edge)
        client.send(b"POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n"
                    b"4\r\nwxyz\r\n0\r\n\r\n")
        client.response()
        line = edge.log(1)[0]
        self.assertEqual((line["bytes_in"], line["bytes_out"]), (4, 5))

    def test_a_refused_request(self):
        edge = self.edge(self.origin())
        self.assert_refused(self.client(edge).send(b"GET / HTTP/1.1\r\n\r\n"), 400)
        line = edge.log(1)[0]
        self.assertEqual((line["status"], line["outcome"], line["attempts"], line["upstream"]),
                         (400, "bad_host", 0, None))

    def test_garbage_cannot_forge_a_line(self):
        edge = self.edge(self.origin())
        self.fetch(edge, '/x?%22%0a{"status":1}', 'User-Agent: "}\\\t{"status": 1')
        self.client(edge).send(b"\x16\x03\x01\r\n\r\n").rest()
        lines = edge.log(2)
        self.assertEqual(len(lines), 2)
        self.assertIn(lines[0]["status"], (200, 400))
        self.assertEqual(lines[1]["status"], 400)

    def test_outcomes_name_their_reason(self):
        scenes = [
            ("upstream_malformed", self.origin(raw(b"junk\r\n\r\n")).address, 502),
            ("upstream_reset", self.origin(lambda c: (c.request(), c.reset())).address, 502),
            ("connect_refused", f"127.0.0.1:{free_port()}", 502),
        ]
        edge = self.edge(
            pools={name: {"endpoints": [address]} for name, address, _ in scenes},
            routes=[{"name": name, "match": {"path_prefix": "/" + name}, "pools": [name],
                     "failover": {"max_attempts": 1}} for name, _, _ in scenes])
        for name, _, status in scenes:
            self.assertEqual(self.fetch(edge, "/" + name).status, status)
        for line, (name, _, status) in zip(edge.log(3), scenes):
            self.assertEqual((line["outcome"], line["status"], line["pool"]),
                             (name, status, name))

    def test_combined(self):
        edge = self.edge(self.origin())
        edge.config["access_log"]["format"] = "combined"
        edge.write()
        self.assertEqual(edge.reload()[0], 200)
        self.fetch(edge, "/a?b", "User-Agent: probe \"1\"", "Referer: http://r.test/")
        text = eventually(lambda: edge.log_text().endswith("\n") and edge.log_text(), "a line")
        self.assertRegex(text, re.compile(
            r'\A127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\] '
            r'"GET /a\?b HTTP/1\.1" 200 8 "http://r\.test/" "probe \S+1\S+"\n\Z'))

    def test_off_writes_nothing(self):
        edge = self.edge(self.origin(), access_log={"format": "off"})
        self.fetch(edge)
        self.assertEqual(edge.stop(), 0)
        self.assertFalse(edge.log_file.exists())

    def test_sigusr1_opens_the_file_anew(self):
        edge = self.edge(self.origin())
        self.fetch(edge, "/old")
        edge.log(1)
        edge.log_file.rename(edge.path / "access.log.1")
        self.fetch(edge, "/still-old")
        eventually(lambda: "/still-old" in (edge.path / "access.log.1").read_text(),
                   "the line is in the old file, wherever that is")
        edge.signal(signal.SIGUSR1)
        eventually(edge.log_file.exists, "the file is made anew")
        self.fetch(edge, "/new")
        self.assertEqual([line["path"] for line in edge.log(1)], ["/new"])
        old = (edge.path / "access.log.1").read_text()
        self.assertEqual(old.count("\n"), 2)
        self.assertIn("/still-old", old)

    def test_lines_are_whole_at_the_end(self):
        edge = self.edge(self.origin())
        client = self.client(edge)
        for n in range(200):
            client.get(f"/{n}").response()
        self.assertEqual(edge.stop(), 0)
        self.assertEqual([line["path"] for line in edge.log(200)],
                         [f"/{n}" for n in range(200)])


if __name__ == "__main__":
    main()
