"""sarif_schema: the objects of SARIF 2.1.0 that gcalloc writes, as the standard defines them (OASIS, section 3)."""


def closed(required, **properties):
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 1}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
MESSAGE = closed(["text"], text=TEXT)
URI = {"type": "string", "pattern": r"^[A-Za-z0-9\-._~/:%]+$"}
ARTIFACT = closed(["uri"], uri=URI, uriBaseId=TEXT)
PHYSICAL = closed(["artifactLocation"], artifactLocation=ARTIFACT, region=closed([], startLine=COUNT))
LOGICAL = closed([], fullyQualifiedName=TEXT)
LOCATION = closed([], physicalLocation=PHYSICAL, logicalLocations={"type": "array", "items": LOGICAL}, message=MESSAGE)
FRAME = closed([], location=LOCATION, module=TEXT)
STACK = closed(["frames"], message=MESSAGE, frames={"type": "array", "items": FRAME})
RULE = closed(["id"], id=TEXT, shortDescription=MESSAGE, defaultConfiguration=closed([], level=LEVEL))
RESULT = closed(["message"], ruleId=TEXT, ruleIndex={"type": "integer", "minimum": -1}, level=LEVEL, message=MESSAGE,
                locations={"type": "array", "items": LOCATION}, stacks={"type": "array", "items": STACK},
                partialFingerprints={"type": "object", "additionalProperties": TEXT}, occurrenceCount=COUNT,
                baselineState={"enum": ["new", "unchanged", "updated", "absent"]},
                suppressions={"type": "array", "items": closed(["kind"], kind={"enum": ["inSource", "external"]})})
DRIVER = closed(["name"], name=TEXT, version=TEXT, rules={"type": "array", "items": RULE})
RUN = closed(["tool"], tool=closed(["driver"], driver=DRIVER), columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
             results={"type": "array", "items": RESULT})
SCHEMA = closed(["version", "runs"], version={"const": "2.1.0"}, runs={"type": "array", "items": RUN},
                **{"$schema": {"type": "string", "format": "uri"}})
