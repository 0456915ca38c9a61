"""How long the storyboard of a song with eight clusters takes, how many of its sentences pass, and what they say.

    python benchmarks/storyboard.py [--guided] [--model FOLDER_OR_NAME] [--seed N] [TAG,TAG,TAG ...]

Each comma-separated list of tags (the heaviest first) is one cluster; without any, eight different ones.
"""

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from aimv_engine.storyboard import filters, language_model, writer
from aimv_engine.text_embedding import TextEmbedder

CLUSTERS = (
    "slow,ambient,electronic,synth,quiet",
    "rock,loud,metal,fast,guitar",
    "classical,piano,slow,soft",
    "techno,beat,fast,electronic",
    "country,guitar,male vocal",
    "pop,female vocal,dance",
    "indian,sitar,strings",
    "jazz,mellow,female vocalists,soul",
)


@dataclass(frozen=True)
class Segment:
    """What the writer reads of a segment."""

    start: float
    end: float
    cluster: str
    tags: tuple[tuple[str, float], ...]
    key: str
    energy: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clusters", nargs="*", default=CLUSTERS)
    parser.add_argument("--guided", action="store_true", default=None)
    parser.add_argument("--model")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--returns", type=int, default=1, help="how often each cluster comes back")
    parser.add_argument("--threads", type=int, help="instead of the model's own number")
    options = parser.parse_args()

    began = time.perf_counter()
    model, ranker = language_model.load(options.model), TextEmbedder()
    if options.threads:
        model = replace(model, threads=options.threads)
    loaded, processor = time.perf_counter(), time.process_time()
    faults: Counter[str] = Counter()
    count(faults)
    segments: Any = song(options.clusters, 1 + options.returns)
    storyboard = writer.write_storyboard(
        segments, segments[0].tags, seed=options.seed, model=model, ranker=ranker, guided=options.guided
    )
    seconds, processor = time.perf_counter() - loaded, time.process_time() - processor

    for scene in storyboard.scenes:
        print(f"{scene.cluster} {scene.candidates[0].score:+.2f} {scene.sentence}")
        if scene.start < 10 * len(options.clusters):
            for candidate in scene.candidates[1:]:
                print(f"    {candidate.score:+.2f} {candidate.sentence}")
    print(f"{storyboard.artist}, look: {storyboard.look}")
    print(f"load {loaded - began:.1f} s; {len(options.clusters)} clusters, {len(segments)} scenes: ", end="")
    print(f"{seconds:.1f} s ({processor:.1f} s of processor)")
    drafts = faults.total()
    print(f"{drafts} sentences, {faults[''] / drafts:.0%} pass; the others: {dict(faults.most_common())}")


def song(clusters: list[str], times: int) -> list[Segment]:
    """A song that goes through all clusters `times` times, ten seconds each."""
    rows = []
    for i in range(len(clusters) * times):
        tags = [tag.strip() for tag in clusters[i % len(clusters)].split(",")]
        weights = tuple((tag, 0.5 / (rank + 1)) for rank, tag in enumerate(tags))
        rows.append(Segment(10.0 * i, 10.0 * i + 10, chr(65 + i % len(clusters)), weights, "A minor", 0.5))
    return rows


def count(faults: Counter[str]) -> None:
    """Has every verdict of the filters counted."""
    judge = filters.fault

    def counting(*arguments: Any) -> str:
        verdict = judge(*arguments)
        faults[verdict] += 1
        return verdict

    filters.fault = counting


if __name__ == "__main__":
    main()
