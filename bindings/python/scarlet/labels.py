"""Names of classes."""

from collections.abc import Sequence
from typing import List, Union, overload

from ._library import PathName, Shared, create, library, path, string


class Labels(Shared, Sequence):  # type: ignore[type-arg]
    """Names of classes from a file: one a line, or `wnid<TAB>name`. A sequence of strings."""

    def __init__(self, file: PathName) -> None:
        self._handle = create("scarlet_labels_load", path(file), free="scarlet_labels_free")

    @classmethod
    def builtin(cls, name: str = "imagenet-1k") -> "Labels":
        """Names compiled into the library."""
        labels = cls.__new__(cls)
        labels._handle = create("scarlet_labels_builtin", string(name, "name"), free="scarlet_labels_free")
        return labels

    def __len__(self) -> int:
        return int(library().scarlet_labels_count(self._handle))

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> List[str]: ...

    def __getitem__(self, index: Union[int, slice]) -> Union[str, List[str]]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = index + len(self) if index < 0 else index
        name = library().scarlet_labels_get(self._handle, place) if 0 <= place < len(self) else None
        if name is None:
            raise IndexError(f"class {index} of {len(self)}")
        return str(name.decode())

    def __repr__(self) -> str:
        return f"<scarlet.Labels of {len(self)} classes>"
