"""The whole battery of requests (tests/battery/requests.cases): every case has its due outcome,
and no smuggled or malformed byte passes either way."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "battery"))

import run                                              # noqa: E402
from harness import EdgeTest, main                      # noqa: E402


class Battery(EdgeTest):
    def test_every_case_has_its_due_outcome(self):
        verdicts, problem = run.play("requests")
        print(run.table(verdicts), flush=True)
        self.assertIsNone(problem)
        self.assertGreater(len(verdicts), 200)
        self.assertEqual(run.failures(verdicts), [])


if __name__ == "__main__":
    main()
