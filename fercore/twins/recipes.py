"""The twins by name: whom they show, how varied, under what conditions."""

from fercore.twins import cast, cast_wild
from fercore.twins.filming import TwinRecipe
from fercore.twins.scene import Nuisance

STUDIO = Nuisance(
    light=0.45, pose=0.12, sway=0.02, shift=0.040, scale=0.03, roll=0.04, noise=0.015, blur=0.55, framing=0.05
)
WILD = Nuisance(
    light=0.75, pose=0.26, sway=0.02, shift=0.060, scale=0.06, roll=0.09, noise=0.025, blur=0.85, backdrop=0.22
)
EVERY_TONE = (0.18, 0.92)  # of skin, where pictures come from everywhere

TWINS: dict[str, TwinRecipe] = {
    "ckplus": TwinRecipe(
        "CK+", cast.ckplus_cast, strength=(0.86, 0.16), style_spread=1.0, sloppiness=1.15, accessories=1.5
    ),
    "mmi": TwinRecipe(
        "MMI", cast.mmi_cast, cast.ONSET_APEX_OFFSET, strength=(0.84, 0.16), style_spread=1.3, sloppiness=1.4,
        accessories=3.0, session_per_take=True,
        nuisance=Nuisance(
            light=0.5, pose=0.13, sway=0.04, shift=0.045, scale=0.035, roll=0.05, noise=0.018, blur=0.55,
            framing=0.06, backdrop=0.10,
        ),
    ),
    "oulu": TwinRecipe(
        "Oulu-CASIA", cast.oulu_cast, strength=(0.82, 0.16), style_spread=1.3, sloppiness=1.4, accessories=2.0,
        nuisance=STUDIO,
    ),
    "mahnob": TwinRecipe(
        "MAHNOB Laughter (five frames per episode, 29 of posed laughs)", cast.mahnob_cast, cast.EPISODE,
        held=(("posed_laughter", 7),), strength=(0.85, 0.17), style_spread=1.2, sloppiness=1.3,
        modalities=("visible", "thermal"), nuisance=STUDIO,
    ),
    "mmse": TwinRecipe(
        "MMSE / BP4D+", cast.mmse_cast, cast.SINGLE, strength=(0.85, 0.18), style_spread=1.2, sloppiness=1.3,
        modalities=("visible", "thermal"), nuisance=STUDIO,
    ),
    "multipie": TwinRecipe(
        "Multi-PIE (five cameras, one of twenty lights)", cast.multipie_cast, cast.SINGLE, strength=(0.90, 0.12),
        nuisance=Nuisance(light=0.6),
    ),
    "rafdb": TwinRecipe(
        "RAF-DB", cast_wild.rafdb_cast, cast.SINGLE, strength=(0.82, 0.22), style_spread=1.3, sloppiness=1.4,
        accessories=3.0, tones=EVERY_TONE, references=False, nuisance=WILD,
    ),
    "affectnet": TwinRecipe(
        "AffectNet (a tenth of its training set)", cast_wild.affectnet_cast, cast.SINGLE, strength=(0.75, 0.26),
        style_spread=1.6, sloppiness=1.7, accessories=3.0, tones=EVERY_TONE, references=False, nuisance=WILD,
    ),
    "fedro": TwinRecipe(
        "FED-RO", cast_wild.fedro_cast, cast.SINGLE, strength=(0.82, 0.22), style_spread=1.3, sloppiness=1.4,
        accessories=3.0, tones=EVERY_TONE, references=False, nuisance=WILD, occlusion="realistic",
    ),
    "sfew": TwinRecipe(
        "SFEW 2.0", cast_wild.sfew_cast, cast.SINGLE, strength=(0.70, 0.25), style_spread=1.6, sloppiness=1.8,
        accessories=3.0, tones=EVERY_TONE, references=False, nuisance=WILD,
    ),
    "vggface": TwinRecipe(
        "VGG-Face (400 identities x 25 images)", cast_wild.vggface_cast, cast.SINGLE, strength=(0.80, 0.22),
        style_spread=1.2, sloppiness=1.3, accessories=2.0, tones=EVERY_TONE, session_per_take=True, nuisance=WILD,
    ),
    "casia_webface": TwinRecipe(
        "CASIA-WebFace (200 identities x 25 images)", cast_wild.webface_cast, cast.SINGLE, strength=(0.80, 0.25),
        style_spread=1.3, sloppiness=1.5, accessories=2.0, tones=EVERY_TONE, session_per_take=True,
        nuisance=Nuisance(light=0.45, pose=0.18, shift=0.040, scale=0.03, roll=0.04, noise=0.015, blur=0.55),
    ),
}  # fmt: skip
