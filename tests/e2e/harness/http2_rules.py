"""RulesTest: one proxy before one origin for cases that break a rule of HTTP/2, what may come of
that, and that others are served whatever was said."""
from .case import EdgeTest
from .http2 import PROTOCOL_ERROR, Http2Client


class RulesTest(EdgeTest):
    def setUp(self):
        self.peer = self.origin()
        self.proxy = self.edge(self.peer)

    def http2(self, **options):
        client = Http2Client(self.proxy.port, **options)
        self.addCleanup(client.close)
        return client

    def tearDown(self):
        with Http2Client(self.proxy.port) as client:     # others are served, whatever was said
            self.assertEqual(client.get2("/after").status, 200)

    def ends(self, client, *codes):
        """The connection ends by a GOAWAY with one of `codes`."""
        self.assertIn(client.end_code(), codes)

    def breaks(self, client, stream, *codes):
        """The stream is reset, or the connection ends, with one of `codes`."""
        answer = client.answer(stream)
        code = answer.reset if answer.reset is not None else client.end_code()
        self.assertIn(code, codes)

    def resets(self, client, stream, code=PROTOCOL_ERROR):
        """The stream alone is reset."""
        self.assertEqual(client.answer(stream).reset, code)
        self.assertTrue(client.alive())

    def refused(self, fields, status=400):
        """The request is refused, by an answer or a reset; the connection goes on."""
        before = len(self.peer.requests())
        client = self.http2()
        answer = client.answer(client.open(fields))
        if answer.reset is None:
            self.assertEqual(answer.status, status)
        else:
            self.assertEqual(answer.reset, PROTOCOL_ERROR)
        self.assertTrue(client.alive())
        self.assertEqual(len(self.peer.requests()), before)
