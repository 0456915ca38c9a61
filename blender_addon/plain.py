"""A property group as plain data and back, collections and all. Plain data outlive undo, files and Blender's memory."""

from collections.abc import Container
from typing import Any

from bpy.types import PropertyGroup


def read(group: PropertyGroup) -> dict[str, Any]:
    """What was set in the group; what still has its default is left out. Pointers are not followed."""
    data = {}
    for prop in group.bl_rna.properties:
        name = prop.identifier
        if prop.type == "POINTER" or not group.is_property_set(name):
            continue
        value = getattr(group, name)
        if prop.type == "COLLECTION":
            data[name] = [read(item) for item in value]
        elif getattr(prop, "is_array", False):
            data[name] = tuple(value)
        elif prop.type != "ENUM" or value:  # a choice that there is no longer reads as an empty text
            data[name] = value
    return data


def write(group: PropertyGroup, data: dict[str, Any], only: Container[str] | None = None) -> None:
    """Makes the group hold just these data: what is left out gets its default. `only` names the properties to touch."""
    for prop in group.bl_rna.properties:
        name = prop.identifier
        if prop.type == "POINTER" or (only is not None and name not in only):
            continue
        if name not in data:
            group.property_unset(name)
        elif prop.type == "COLLECTION":
            collection = getattr(group, name)
            collection.clear()
            for item in data[name]:
                write(collection.add(), item)
        else:
            setattr(group, name, data[name])
