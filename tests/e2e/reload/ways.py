"""Reload by SIGHUP, API and CLI; a bad file leaves everything as it was."""
import json
import signal

from harness import EdgeTest, eventually, main
from harness.process import run_command


class Ways(EdgeTest):
    def setUp(self):
        self.proxy = self.edge(pools={}, routes=[self.answer("one")])

    @staticmethod
    def answer(text):
        return {"name": "all", "respond": {"status": 200, "body": text}}

    def change(self, text):
        self.proxy.config["routes"] = [self.answer(text)]
        self.proxy.write()

    def body(self):
        return self.fetch(self.proxy).body.decode()

    def cli(self, *arguments):
        return run_command(*arguments, "-c", str(self.proxy.file))

    def test_by_signal(self):
        self.change("two")
        self.proxy.signal(signal.SIGHUP)
        eventually(lambda: self.body() == "two", "the new configuration answers")

    def test_by_api(self):
        before = self.proxy.status()["snapshot"]
        self.change("two")
        code, answer = self.proxy.reload()
        self.assertEqual((code, answer.get("ok")), (200, True))
        self.assertEqual(self.body(), "two")
        self.assertNotEqual(self.proxy.status()["snapshot"]["id"], before["id"])

    def test_by_command(self):
        self.change("two")
        done = self.cli("reload")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.body(), "two")

    def break_file(self):
        self.proxy.write(text="listeners:\n  - adress: 127.0.0.1:1\npoolz: {}\nroutes: 7\n")

    def test_a_bad_file_is_refused_with_every_error(self):
        before = self.proxy.snapshot()
        self.break_file()
        code, answer = self.proxy.reload()
        self.assertGreaterEqual(code, 400)
        errors = "\n".join(str(e) for e in answer["errors"])
        for hint in ("adress", "poolz", "routes", "did you mean"):
            self.assertIn(hint, errors)
        self.assertEqual(self.body(), "one")
        self.assertEqual(self.proxy.snapshot(), before)

    def test_a_bad_file_by_command_prints_every_error_and_ends_with_1(self):
        self.break_file()
        done = self.cli("reload", "--admin", f"127.0.0.1:{self.proxy.admin_port}",
                        "--token-file", str(self.proxy.token_file))
        self.assertEqual(done.returncode, 1)
        for hint in ("adress", "poolz", "routes"):
            self.assertIn(hint, done.stdout + done.stderr)
        self.assertEqual(self.body(), "one")

    def test_a_bad_file_by_signal_is_logged(self):
        self.break_file()
        self.proxy.signal(signal.SIGHUP)
        self.proxy.wait_stderr("poolz")
        self.assertEqual(self.body(), "one")

    def test_it_can_be_repaired_afterwards(self):
        self.break_file()
        self.proxy.reload()
        self.change("three")
        self.assertEqual(self.proxy.reload()[0], 200)
        self.assertEqual(self.body(), "three")

    def test_a_missing_file_is_an_error(self):
        self.proxy.file.unlink()
        self.assertGreaterEqual(self.proxy.reload()[0], 400)
        self.assertEqual(self.body(), "one")

    def test_keys_that_cannot_be_reloaded_are_named(self):
        self.change("two")
        self.proxy.config["workers"] = 2
        self.proxy.write()
        code, answer = self.proxy.reload()
        self.assertIn("workers", str(answer) + self.proxy.stderr())
        self.assertEqual(self.body(), "two" if code == 200 else "one")

    def test_they_are_named_until_the_file_is_as_it_was(self):
        self.proxy.config.update(workers=2, cache={"redis": {"url": "redis://127.0.0.1:1/3",
                                                             "timeout": "50ms"}})
        self.change("two")
        for _ in range(2):
            named = self.proxy.reload()[1]["not_reloadable"]
            self.assertEqual([line.partition(":")[0] for line in named],
                             ["workers", "cache.redis"])
            self.assertIn("timeout 50ms, max_object 256KiB", named[1])
            code, text, _ = self.proxy.admin("GET", "/api/v1/config")
            self.assertEqual(code, 200)
            effective = json.loads(text)
            self.assertEqual((effective["workers"], effective["cache"]["redis"]), ("1", "off"))
            self.assertEqual(self.body(), "two")
        del self.proxy.config["cache"]
        self.proxy.config["workers"] = 1
        self.proxy.write()
        self.assertEqual(self.proxy.reload()[1]["not_reloadable"], [])

    def test_many_reloads_leak_nothing(self):
        self.proxy.reload()
        before = self.proxy.descriptors()
        for n in range(30):
            self.change(f"v{n}")
            self.assertEqual(self.proxy.reload()[0], 200)
        self.assertEqual(self.body(), "v29")
        eventually(lambda: self.proxy.descriptors() <= before, "descriptors are back")


if __name__ == "__main__":
    main()
