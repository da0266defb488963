"""What a shared cache may keep, seen from outside: RFC 9111 sections 3 and 4.2."""
import time
from email.utils import formatdate

from harness import main
from harness.cached import FRESH, Answer, CacheTest


def http_date(seconds):
    return formatdate(seconds, usegmt=True)


class Kept(CacheTest):
    def test_explicit_freshness_in_all_its_forms(self):
        now = time.time()
        later = time.gmtime(now + 600)
        forms = {
            "/max-age": [FRESH],
            "/s-maxage": ["Cache-Control: max-age=0, s-maxage=600"],
            "/expires": [f"Date: {http_date(now)}", f"Expires: {http_date(now + 600)}"],
            "/expires-850": [f"Expires: {time.strftime('%A, %d-%b-%y %H:%M:%S GMT', later)}"],
            "/expires-asctime": [f"Expires: {time.asctime(later)}"],
            "/cdn": ["CDN-Cache-Control: max-age=600", "Cache-Control: no-store"],
            "/spaces": ["Cache-Control:   public ,  ,max-age = 600", FRESH],
            "/case": ["cache-CONTROL: MAX-AGE=600"],
            "/quoted": ["Cache-Control: max-age=\"600\""],
        }
        site = self.site(lambda request: Answer(*forms[request.target]))
        for target in forms:
            if target == "/spaces":     # the first of them is no directive that is known
                self.get(target)
                self.get(target)
                continue
            with self.subTest(target):
                self.assert_shared((target,), (target,))
                self.assertEqual(site.asked(target), 1)

    def test_the_first_answer_says_that_it_was_stored(self):
        self.site(Answer(FRESH))
        status = self.status_of(self.get())
        self.assertEqual((status["fwd"], status["stored"]), ("miss", True))
        status = self.status_of(self.get())
        self.assertLessEqual(int(status["ttl"]), 600)
        self.assertGreater(int(status["ttl"]), 500)

    def test_status_codes_with_explicit_freshness(self):
        for status in ("200 OK", "203 Other", "301 Moved", "308 Moved", "404 Not Found",
                       "410 Gone"):
            with self.subTest(status):
                self.site(Answer(FRESH, status=status))
                first, second = self.get(), self.get()
                self.assert_hit(second, first)
                self.assertEqual(second.status, int(status[:3]))

    def test_head_is_answered_from_a_stored_get(self):
        site = self.site(Answer(FRESH))
        whole = self.get()
        head = self.assert_hit(self.get(method="HEAD"))
        self.assertEqual((head.body, head.get("content-length")),
                         (b"", str(len(whole.body))))
        self.assertEqual(site.asked(), 1)

    def test_an_answer_to_head_that_names_nothing_revives_nothing(self):
        """RFC 9111 4.3.5: without a validator it may be about anything."""
        for etag, length in (([], "Transfer-Encoding: chunked"), ([], "Content-Length: 7"),
                             (['ETag: "1"'], "Content-Length: 7"),
                             (['ETag: "1"'], 'Content-Length: 7\r\nETag: W/"1"')):
            head = f"HTTP/1.1 200 OK\r\n{length}\r\n{FRESH}\r\n\r\n".encode()
            self.site(lambda request, etag=etag, head=head:
                      head if request.method == "HEAD" else Answer(FRESH, *etag))
            old = self.get()
            self.outdate(self.edge_)
            self.assert_forwarded(self.get(method="HEAD"))
            new = self.assert_forwarded(self.get())
            self.assertNotEqual(new.body, old.body)

    def test_what_belongs_to_a_connection_is_not_kept(self):
        self.site(Answer(FRESH, "Connection: X-Hop", "X-Hop: 1", "X-End: 2",
                         "Proxy-Authenticate: Basic"))
        for _ in range(2):
            response = self.get()
            self.assertEqual(response.get("x-end"), "2")
            self.assertIsNone(response.get("x-hop"))
        self.assert_hit(response)
        self.assertIsNone(response.get("proxy-authenticate"))

    def test_default_ttl_for_those_who_say_nothing(self):
        self.site(Answer(), default_ttl="10m")
        self.assert_shared(("/",), ("/",))


class NotKept(CacheTest):
    def test_responses_that_forbid_it(self):
        answers = {
            "/no-store": ["Cache-Control: no-store, max-age=600"],
            "/private": ["Cache-Control: private, max-age=600"],
            "/vary-all": [FRESH, "Vary: *"],
            "/vary-all-too": [FRESH, "Vary: Accept, *"],
            "/cookie": [FRESH, "Set-Cookie: user=1"],
            "/nothing": [],
            "/zero": ["Cache-Control: max-age=0"],
            "/s-maxage-zero": ["Cache-Control: max-age=600, s-maxage=0"],
            "/expired": ["Expires: 0"],
            "/pragma-is-no-permission": ["Pragma: public"],
        }
        self.site(lambda request: Answer(*answers[request.target]))
        for target in answers:
            with self.subTest(target):
                self.assert_never_stored(target)

    def test_requests_whose_answers_are_nobody_elses(self):
        site = self.site(Answer(FRESH))
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"):
            with self.subTest(method):
                self.assert_never_stored("/" + method, count=2, method=method)
        self.assertEqual(self.get("/no-store", "Cache-Control: no-store").status, 200)
        self.get("/no-store")
        self.assertEqual(site.asked("/no-store"), 2)

    def test_a_part_is_not_the_whole(self):
        def answer(request):
            if request.get("range"):
                return Answer(FRESH, "Content-Range: bytes 0-3/9", status="206 Partial Content",
                              body="part")
            return Answer(FRESH, body="the whole")
        site = self.site(answer)
        self.get("/", "Range: bytes=0-3")
        self.assertIn(b"the whole", self.get("/").body)
        self.assertLessEqual(site.asked(), 2)

    def test_errors_of_the_server_that_say_nothing(self):
        self.site(Answer(status="503 Busy"), default_ttl="10m")
        self.assert_never_stored("/")


class Authorized(CacheTest):
    """RFC 9111 section 3.5."""
    WHO = "Authorization: Bearer one"

    def test_only_with_permission(self):
        for fields, shared in (([FRESH], False),
                               (["Cache-Control: max-age=600, public"], True),
                               (["Cache-Control: s-maxage=600"], True),
                               (["Cache-Control: max-age=600, must-revalidate"], True)):
            with self.subTest(fields):
                self.site(Answer(*fields))
                first, second = self.get("/", self.WHO), self.get("/", "Authorization: Bearer two")
                self.assertEqual(first.body == second.body, shared)

    def test_never_by_default_ttl_or_heuristics(self):
        self.site(Answer("Cache-Control: public", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"),
                  default_ttl="10m", heuristics=True)
        self.assert_apart(("/", self.WHO), ("/", "Authorization: Bearer two"))


class Cookies(CacheTest):
    def test_two_users_never_share_a_page_that_says_nothing(self):
        self.site(lambda request: Answer(body=request.get("cookie", "nobody")),
                  default_ttl="10m")
        for _ in range(2):
            for who in ("user=1", "user=2"):
                self.assertIn(who.encode(), self.get("/", f"Cookie: {who}").body)
        self.assertIn(b"nobody", self.get("/").body)

    def test_an_estimate_answers_nobody_who_says_who_he_is(self):
        for how in ({"default_ttl": "10m"}, {"heuristics": True}):
            site = self.site(Answer("Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"), **how)
            page = self.get()
            for field in ("Cookie: user=1", "Authorization: Basic eDp5"):
                with self.subTest(field, **how):
                    count = site.asked()
                    answer = self.assert_forwarded(self.get("/", field), "bypass")
                    self.assertEqual(self.status_of(answer)["detail"], field.split(":")[0].lower())
                    self.assertNotEqual(answer.body, page.body)
                    self.get("/", field, method="HEAD")
                    self.assertEqual(site.asked(), count + 2)
                    only = self.get("/", field, "Cache-Control: only-if-cached")
                    self.assertEqual(only.status, 504)
                    self.assert_hit(self.get(), page)

    def test_what_the_origin_gives_a_lifetime_is_for_all(self):
        self.site(Answer(FRESH), default_ttl="10m")
        self.assert_shared(("/",), ("/", "Cookie: user=1"))
        self.assert_shared(("/",), ("/", "Authorization: Basic eDp5"))

    def test_a_page_that_sets_a_cookie_goes_to_its_user_alone(self):
        self.site(Answer("Set-Cookie: session=1"), default_ttl="10m")
        self.assert_never_stored("/")

    def test_set_cookie_can_be_allowed(self):
        self.site(Answer(FRESH, "Set-Cookie: seen=1"), store_set_cookie=True)
        first, second = self.get(), self.get()
        self.assert_hit(second, first)
        self.assertEqual(second.get("set-cookie"), "seen=1")

    def test_a_cookie_is_not_served_any_more_where_it_is_not_allowed_any_more(self):
        self.site(Answer(FRESH, "Set-Cookie: seen=1"), store_set_cookie=True)
        first, second = self.get(), self.get()
        self.assert_hit(second, first)
        config = self.edge_.config
        config["routes"][0]["cache"]["store_set_cookie"] = False
        self.edge_.write(config)
        self.assertEqual(self.edge_.reload()[0], 200)
        self.assert_never_stored("/")

    def test_fields_that_a_directive_names_are_left_out(self):
        for directive in ("no-cache", "private"):
            with self.subTest(directive):
                self.site(Answer(f"Cache-Control: max-age=600, {directive}=\"X-User, X-Other\"",
                                 "X-User: 1", "X-Other: 2", "X-All: 3"))
                first, second = self.get(), self.get()
                self.assertEqual(first.get("x-user"), "1")
                if "hit" in self.status_of(second):
                    self.assertEqual((second.get("x-user"), second.get("x-other"),
                                      second.get("x-all")), (None, None, "3"))


if __name__ == "__main__":
    main()
