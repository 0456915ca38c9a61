"""Sentence embeddings: shape, meaning, and independence of the batch."""

import numpy as np
import pytest

from aimv_engine.text_embedding import BATCH, TextEmbedder


@pytest.fixture(scope="module")
def embed() -> TextEmbedder:
    return TextEmbedder()


def test_rows_are_unit_vectors(embed: TextEmbedder) -> None:
    rows = embed(["a white horse", "", "a much longer sentence about a lighthouse in the rain at night"])
    assert rows.shape == (3, 384)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)


def test_no_texts_give_no_rows(embed: TextEmbedder) -> None:
    assert embed([]).shape == (0, 384)


def test_meaning_decides_what_is_near(embed: TextEmbedder) -> None:
    horse, stallion, piano = embed(["a galloping horse", "a stallion runs", "somebody plays the piano"])
    assert horse @ stallion > horse @ piano + 0.2


def test_padding_and_batches_change_nothing_but_the_last_bits(embed: TextEmbedder) -> None:
    texts = [f"a red boat {'on the calm sea ' * (i % 5)}{i}" for i in range(BATCH + 3)]
    together = embed(texts)
    np.testing.assert_allclose(together[-1], embed(texts[-1:])[0], atol=1e-5)
    np.testing.assert_allclose(together[7], embed(texts[7:8])[0], atol=1e-5)


def test_similarity_equals_the_published_example(embed: TextEmbedder) -> None:
    """The example of the Sentence-Transformers documentation for this model (printed there to four digits)."""
    rows = embed(["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."])
    np.testing.assert_allclose(
        rows @ rows.T, [[1.0, 0.6660, 0.1046], [0.6660, 1.0, 0.1411], [0.1046, 0.1411, 1.0]], atol=2e-4
    )
