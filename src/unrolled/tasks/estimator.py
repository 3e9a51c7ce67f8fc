"""scikit-learn's conventions for an estimator, without importing scikit-learn."""

from __future__ import annotations

import inspect
from copy import deepcopy
from typing import Any, Self

from unrolled.errors import ConfigError


class Estimator:
    """What scikit-learn asks of an estimator: `clone` and searches take it as one.

    Its own `BaseEstimator` would do the same, but to import it takes longer than to load a model
    and answer: it brings statistics and data frames that no task needs.

    Source: scikit-learn's "Developing scikit-learn estimators".
    """

    @classmethod
    def _get_param_names(cls) -> list[str]:
        """The arguments of the constructor, sorted."""
        return sorted(name for name in inspect.signature(cls).parameters)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments of the constructor by name. `deep` makes no difference: none of them is an
        estimator."""
        return {name: getattr(self, name) for name in self._get_param_names()}

    def set_params(self, **params: Any) -> Self:
        """Change arguments of the constructor; they take effect when it is fitted.

        Raises:
            ConfigError: no such argument; then none is changed.
        """
        known = self._get_param_names()
        for name in params:
            if name not in known:
                raise ConfigError(f"set_params: got {name!r}, expected one of {', '.join(known)}")
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def unfitted(self) -> Self:
        """A new one with the same arguments: scikit-learn's `clone`."""
        return type(self)(**deepcopy(self.get_params()))

    def __sklearn_tags__(self) -> Any:
        from sklearn.base import BaseEstimator

        return BaseEstimator.__sklearn_tags__(self)

    def __repr__(self) -> str:
        """With the arguments that differ from their defaults."""
        defaults = inspect.signature(type(self)).parameters
        changed = [
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if not _same(value, defaults[name].default)
        ]
        return f"{type(self).__name__}({', '.join(changed)})"


def _same(value: Any, default: Any) -> bool:
    """Whether they are the same, also where to compare them gives an array."""
    return value is default or repr(value) == repr(default)
