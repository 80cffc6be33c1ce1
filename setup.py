"""The one thing that setup.cfg cannot say: parts in C, left out where there is no compiler."""

from setuptools import Extension, setup


def compiled(name: str) -> Extension:
    return Extension(
        f"postseal.core.{name}",
        [f"milter/postseal/core/{name.replace('.', '/')}.c"],
        depends=["milter/postseal/core/_relaxed.h"],
        extra_compile_args=["-O3"],
        py_limited_api=True,
        optional=True,
    )


setup(ext_modules=[compiled("_field"), compiled("_relaxed"), compiled("dkim._headerhash")])
