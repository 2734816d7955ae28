"""The learned scorer: probabilities of candidates, the same numbers as in training, and templates that it was not fitted to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from pipeline.engines.embedded.fields import read_fields
from pipeline.engines.embedded.fields.field_reader import candidate_groups
from pipeline.engines.embedded.fields.scorer import network, score
from pipeline.engines.embedded.fields.scorer.candidate_groups import FEATURES
from pipeline.settings import configs_folder
from pipeline.templates.load import load_template, parse_template
from tests.engines.embedded.fields.pages import page

INVOICE = load_template(configs_folder() / "templates" / "invoice.yaml")
LINES: list[tuple[float, float, str]] = [
    (50, 50, "Harbour Tools Ltd"),
    (50, 64, "4 Mill Road"),
    (50, 78, "Leeds LS1 4AP"),
    (330, 110, "Invoice number: 2031-118"),
    (330, 124, "Invoice date: 3 May 2031"),
    (330, 138, "Due date: 2 June 2031"),
    (330, 300, "Subtotal 100.00"),
    (330, 314, "VAT 20% 20.00"),
    (330, 328, "Total 120.00"),
]


def test_the_probabilities_of_a_field_sum_to_one_and_features_have_names() -> None:
    found = candidate_groups(page(LINES), INVOICE)
    assert {group.field for group in found} >= {"total", "invoice_date", "invoice_number", "vendor_name", "vendor_vat_id"}
    scores = score(found)
    for group in found:
        assert group.features.shape == (len(group.candidates), len(FEATURES[group.family]))
        assert np.isfinite(group.features).all()
        assert scores[group.field].candidates.sum() + scores[group.field].absent == pytest.approx(1, abs=1e-4)
    assert scores["prepaid"].absent > 0.5 > scores["total"].absent


def test_a_field_without_candidates_is_absent() -> None:
    scores = score(candidate_groups(page([(50, 50, "Dear all")]), INVOICE))
    assert scores["total"].absent == 1
    assert read_fields(page([(50, 50, "Dear all")]), INVOICE)["total"].value is None


def test_networks_in_numpy_are_those_that_were_trained() -> None:
    torch = pytest.importorskip("torch")
    from training.scorer.examples import Example
    from training.scorer.fit import Network, fit

    torch.manual_seed(0)
    drawn = np.random.default_rng(0)
    features = [drawn.random((n, 5), np.float32) for n in (1, 4, 7)]
    examples = [Example(str(n), str(n), "amount", "total", x, x[:, 0] > 0.6, ("",) * len(x)) for n, x in enumerate(features)]
    arrays = fit(examples, seed=1, epochs=30)
    trained = Network(5)
    state = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in _state(arrays).items()}
    trained.load_state_dict(state)
    trained.eval()
    for x, scores in zip(features, network.probabilities([arrays], features), strict=True):
        group = torch.zeros(len(x), dtype=torch.long)
        logits, absent = trained(torch.from_numpy((x - arrays["mean"]) / arrays["scale"]), group, 1)
        expected = torch.softmax(torch.cat([logits, absent]), 0).detach().numpy()
        assert np.allclose([*scores.candidates, scores.absent], expected, atol=1e-5)


def _state(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    state = {}
    for name in ("body0", "body1", "body2", "null0", "null1"):
        weight, bias = arrays[f"{name}.weight"], np.atleast_1d(arrays[f"{name}.bias"])
        layer, at = name[:-1], name[-1]
        state[f"{layer}.{at}.weight"] = np.atleast_2d(weight.T)
        state[f"{layer}.{at}.bias"] = bias
    return state


def test_a_template_of_ones_own_is_read_by_its_labels() -> None:
    own = parse_template(
        """
name: passport
prompt: Read.
fields:
  ship: {type: identifier, labels: {en: [Hull number]}}
  launched: {type: date, labels: {en: [Launched on]}}
  toll: {type: money, labels: {en: [Lock toll]}}
  pilotage: {type: money, labels: {en: [Pilotage]}}
""",
        "passport.yaml",
    )
    lines = [
        (50.0, 50.0, "Hull number HK-2207"),
        (50.0, 70.0, "Launched on 4 May 2019"),
        (50.0, 90.0, "Inspected on 6 June 2021"),
    ]
    sums = [(50.0, 130.0, "Pilotage 310.00"), (50.0, 150.0, "Lock toll 48.20"), (50.0, 170.0, "Berth 12.00")]
    claims = read_fields(page([*lines, *sums]), own)
    values = {name: claim.value for name, claim in claims.items()}
    assert values == {"ship": "HK-2207", "launched": "2019-05-04", "toll": "48.20", "pilotage": "310.00"}


def test_a_template_may_have_more_parties_than_are_chosen_together() -> None:
    fields = "\n".join(
        f"  party{n}: {{type: party, role: {role}}}" for n, role in enumerate(("seller", "buyer", "seller", "buyer"))
    )
    own = parse_template(f"name: deed\nprompt: Read.\nfields:\n{fields}\n", "deed.yaml")
    names = ("Harbour Tools Ltd", "Lantern Books Ltd", "Fjordlund Boats AB", "Tidewater Bakery GmbH")
    lines = [(50.0, 40.0 + 90 * n, name) for n, name in enumerate(names)]
    found = [claim.value for claim in read_fields(page(lines), own).values() if claim.value]
    assert found
    assert len(found) == len(set(found))


def test_a_copy_beside_another_label_does_not_hide_an_amount() -> None:
    lines = [(50.0, 50.0, "Tea"), (240.0, 50.0, "20.00"), (50.0, 70.0, "Total"), (240.0, 70.0, "20.00")]
    lines += [(50.0, 90.0, "Cash"), (240.0, 90.0, "20.00")]
    receipt = load_template(configs_folder() / "templates" / "receipt.yaml")
    claim = read_fields(page(lines, width=300), receipt)["total"]
    assert claim.value == "20.00"
    assert claim.words == (3,), "the one beside the label"


def test_a_page_of_many_numbers_costs_little() -> None:
    many = [(60.0 + 90 * (n % 5), 40.0 + 12 * (n // 5), f"{n + 1}.50") for n in range(300)]
    read_fields(page(many), INVOICE)
    started = time.process_time()
    read_fields(page(many), INVOICE)
    assert time.process_time() - started < 2.0


_TIMES = """
import json, time
import numpy as np
from pipeline.engines.embedded.fields.scorer import Group, score
from pipeline.engines.embedded.fields.scorer.candidate_groups import FEATURES
from pipeline.engines.embedded.fields.items import cell_network
from pipeline.engines.embedded.fields.stacked_networks import forward

network = cell_network.weights()[0][0]
cells = np.ones((300, len(network["mean"])), np.float32)
drawn = np.random.default_rng(0)
groups = [Group("amount", str(n), [None] * 60, drawn.random((60, len(FEATURES["amount"])), np.float32)) for n in range(6)]
score(groups)
process, thread = time.process_time(), time.thread_time()
for _ in range(50):
    score(groups)
    forward(network, cells)
print(json.dumps([time.process_time() - process, time.thread_time() - thread]))
"""


def test_networks_keep_no_other_core_busy() -> None:
    """OpenBLAS would start a thread for each core, and all of them wait for each other in a loop."""
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    run = subprocess.run([sys.executable, "-c", _TIMES], capture_output=True, text=True, check=True, env=environment)
    of_process, of_thread = json.loads(run.stdout)
    assert of_process < 1.3 * of_thread + 0.02
