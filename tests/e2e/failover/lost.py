"""A cloud is lost, or one endpoint of it: killed, frozen, cut off, refusing, resetting, silent. No
GET fails for it; of the POSTs only what had been sent, and the log says why. It comes back."""
from harness import SCALE, eventually, main
from harness.clouds import SAMPLES, CloudTest, Load
from harness.network import drop_packets, inside_own_network, needs_nft, needs_own_network

# Each endpoint gets its share whatever it looks like, so that silence shows soon.
IN_TURN = {"balance": "round_robin"}


class LostTest(CloudTest):
    address = "127.0.0.1"       # of aws, which is lost

    def setUp(self):
        super().setUp()
        self.aws, self.gcp = self.cloud("aws", address=self.address), self.cloud("gcp")

    def begin(self, route=None, workers=1):
        """The proxy and its load, under way."""
        self.proxy = self.edge_of(aws=self.aws, gcp=self.gcp, route=route, workers=workers)
        self.load = Load(self.proxy, gets=8, posts=2)
        self.enterContext(self.load)
        self.load.more(SAMPLES)

    def wait_out(self, victims, reason, words):
        """Each victim is ejected for this reason, in status, log and metric; others serve."""
        for victim in victims:
            self.wait_state(self.proxy, victim, "ejected", words)
            self.proxy.wait_stderr(f"{victim.address} is ejected (was in): ")
        self.assertGreaterEqual(self.proxy.metric("scrollgate_ejections_total", 'pool="aws"',
                                                  f'reason="{reason}"'), len(victims))
        self.load.more(50)

    def wait_back(self, victims):
        """They are in and get requests again."""
        for victim in victims:
            self.wait_state(self.proxy, victim, "in")
            self.wait_seen(victim, 3)
        self.load.more(50)

    def failed_posts(self, victims, *reasons):
        """Ends the load. No GET has failed, and each POST that did was at a victim and failed for
        one of these (status, outcome); returns how many."""
        self.load.stop()
        self.assertEqual(self.load.failed("GET"), [])
        lines = [line for line in self.proxy.log(len(self.load.answers)) if line["status"] != 200]
        places = {victim.address for victim in victims}
        for line in lines:
            self.assertEqual(line["method"], "POST")
            self.assertIn((line["status"], line["outcome"]), reasons)
            self.assertIn(line["upstream"], places)
        self.assertEqual(len(lines), len(self.load.failed("POST")))
        return len(lines)


class Lost(LostTest):
    def kill(self, victims):
        """While they have POSTs that they have read and not answered."""
        self.begin(IN_TURN, workers=2)
        for victim in victims:
            victim.behave(POST="hold")
        eventually(lambda: any(victim.seen("held POST") for victim in victims), "a held POST")
        for victim in victims:
            victim.kill()
        self.wait_out(victims, "refused", "refused")
        for victim in victims:
            victim.start()
        self.wait_back(victims)
        self.assertGreater(self.failed_posts(victims, (502, "upstream_reset")), 0)
        attempts = [line["attempts"] for line in self.proxy.log(1)]
        self.assertGreater(max(attempts), 1)

    def test_an_endpoint_is_killed(self):
        self.kill(self.aws[:1])

    def test_a_cloud_is_killed(self):
        self.kill(self.aws)

    def freeze(self, victims):
        """What they had been sent is answered when they thaw, so nothing at all fails."""
        self.begin(IN_TURN)
        for victim in victims:
            victim.freeze()
        self.wait_out(victims, "unanswered", "without an answer")
        for victim in victims:
            victim.thaw()
        self.wait_back(victims)
        self.assertEqual(self.failed_posts(victims), 0)
        self.assertGreater(self.proxy.metric("scrollgate_hedges_total", 'won="true"'), 0)

    def test_an_endpoint_is_frozen(self):
        self.freeze(self.aws[:1])

    def test_a_cloud_is_frozen(self):
        self.freeze(self.aws)

    def test_an_endpoint_that_is_frozen_is_ejected_though_hedges_win(self):
        """adaptive asks it seldom, and a hedge answers before it is overdue: it is silent still,
        and POSTs would go on getting stuck."""
        self.begin()
        self.aws[0].freeze()
        self.wait_out(self.aws[:1], "unanswered", "without an answer")
        self.aws[0].thaw()
        self.wait_back(self.aws[:1])
        self.assertEqual(self.failed_posts(self.aws[:1]), 0)

    def test_an_endpoint_refuses_from_the_beginning(self):
        self.aws[0].kill()
        self.begin()
        self.wait_out(self.aws[:1], "refused", "refused")
        self.aws[0].start()
        self.wait_back(self.aws[:1])
        self.assertEqual(self.failed_posts(self.aws[:1]), 0)

    def test_an_endpoint_resets_after_the_request(self):
        self.begin()
        self.aws[0].behave(GET="reset", POST="reset")
        self.wait_out(self.aws[:1], "unanswered", "without an answer")
        self.aws[0].behave(GET="answer", POST="answer")
        self.wait_back(self.aws[:1])
        self.failed_posts(self.aws[:1], (502, "upstream_reset"))

    def test_an_endpoint_accepts_and_says_nothing(self):
        self.begin({**IN_TURN, "timeouts": {"upstream_response": f"{int(3 * SCALE)}s"}})
        self.aws[0].behave(GET="hold", POST="hold")
        eventually(lambda: self.aws[0].seen("held POST"), "a held POST")
        self.wait_out(self.aws[:1], "unanswered", "without an answer")
        eventually(lambda: self.load.failed("POST"), "the held POST is given up")
        self.aws[0].behave(GET="answer", POST="answer")
        self.wait_back(self.aws[:1])
        self.assertGreater(self.failed_posts(self.aws[:1], (504, "upstream_timeout")), 0)


@needs_own_network
@needs_nft
class Dropped(LostTest):
    address = "127.0.0.2"

    def test_a_cloud_is_cut_off(self):
        if not inside_own_network(self):
            return
        self.begin(IN_TURN)
        reconnect = drop_packets(self.address)
        self.wait_out(self.aws, "unanswered", "without an answer")
        reconnect()
        self.wait_back(self.aws)
        self.assertEqual(self.failed_posts(self.aws), 0)


if __name__ == "__main__":
    main()
