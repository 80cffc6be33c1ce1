"""The one thing that setup.cfg cannot say: a part in C, left out where it cannot be compiled."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "postseal.core._relaxed",
            ["milter/postseal/core/_relaxed.c"],
            extra_compile_args=["-O3"],
            py_limited_api=True,
            optional=True,
        )
    ]
)
