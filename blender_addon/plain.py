"""A property group as plain data and back, collections and all. Plain data outlive undo, files and Blender's memory."""

from collections.abc import Container
from typing import Any

from bpy.types import PropertyGroup, bpy_struct


def read(group: bpy_struct, only: Container[str] | None = None) -> dict[str, Any]:
    """What was set in a property group (or a marker); what still has its default is left out. `only` names the
    properties wanted. What points to one of Blender's data blocks goes on pointing there."""
    data = {}
    for prop in group.bl_rna.properties:
        name = prop.identifier
        if not _is_wanted(name, only) or not group.is_property_set(name):
            continue
        value = getattr(group, name)
        if prop.type == "COLLECTION":
            data[name] = [read(item) for item in value]
        elif isinstance(value, PropertyGroup):
            data[name] = read(value)
        elif getattr(prop, "is_array", False):
            data[name] = tuple(value)
        elif prop.type != "ENUM" or value:  # a choice that there is no longer reads as an empty text
            data[name] = value
    return data


def write(group: bpy_struct, data: dict[str, Any], only: Container[str] | None = None) -> None:
    """Makes the group hold just these data: what is left out gets its default. `only` names the properties to touch."""
    for prop in group.bl_rna.properties:
        name = prop.identifier
        if not _is_wanted(name, only):
            continue
        if name not in data:
            group.property_unset(name)
        elif prop.type == "COLLECTION":
            collection = getattr(group, name)
            collection.clear()
            for item in data[name]:
                write(collection.add(), item)
        elif isinstance(data[name], dict):
            write(getattr(group, name), data[name])
        else:
            setattr(group, name, data[name])


def _is_wanted(name: str, only: Container[str] | None) -> bool:
    return name in only if only is not None else name != "rna_type"
