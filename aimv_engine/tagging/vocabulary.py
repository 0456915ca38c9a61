"""The fifty tags of each musicnn model, in the order of the network's outputs."""


def _tags(text: str) -> tuple[str, ...]:
    return tuple(tag.strip() for tag in text.split(","))


TAGS = {
    # The fifty most used tags of MagnaTagATune (Law et al. 2009)
    "MTT_musicnn": _tags(
        """guitar, classical, slow, techno, strings, drums, electronic, rock, fast, piano, ambient, beat, violin,
        vocal, synth, female, indian, opera, male, singing, vocals, no vocals, harpsichord, loud, quiet, flute, woman,
        male vocal, no vocal, pop, soft, sitar, solo, man, classic, choir, voice, new age, dance, male voice,
        female vocal, beats, harp, cello, no voice, weird, country, metal, female voice, choral"""
    ),
    # The fifty most used Last.fm tags of the Million Song Dataset (Bertin-Mahieux et al. 2011)
    "MSD_musicnn": _tags(
        """rock, pop, alternative, indie, electronic, female vocalists, dance, 00s, alternative rock, jazz, beautiful,
        metal, chillout, male vocalists, classic rock, soul, indie rock, Mellow, electronica, 80s, folk, 90s, chill,
        instrumental, punk, oldies, blues, hard rock, ambient, acoustic, experimental, female vocalist, guitar,
        Hip-Hop, 70s, party, country, easy listening, sexy, catchy, funk, electro, heavy metal, Progressive rock, 60s,
        rnb, indie pop, sad, House, happy"""
    ),
}
