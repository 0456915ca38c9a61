"""The embedded generator: composes a scene procedurally, and paints it.

`generator.Paint` is its door. From the outside in: `choose` (a sentence to an entry of the `catalogue`), `workers`
(processes), `scene` (which painters, in which order), the painters themselves (`sky`, `land`, `water`, `ground`,
`street`, `indoors`, `hall`, `space`, `abstract`, `deep`, `figures`, `shapes`, `weather`) with the layers they build
once (`terrain`, `trees`, `city`, `plants`), and under all of them `stage`, `light`, `layer`, `canvas`, `view`, `noise`
and `colours`. When a scene is composed, `grade` develops it and `style` paints it.
"""
