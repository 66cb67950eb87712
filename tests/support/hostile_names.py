"""Names that attack decoders: in VTL, JSON, headers and paths."""

# ruff: noqa: E501, Q000, RUF001 - exact values, including characters of the same shape

from __future__ import annotations

from urllib.parse import quote

ID = "0c5a0b1e-7c0f-4d57-9a53-1f2f3c4d5e6f"

_VTL = [
    "$context.apiId", "${context.apiId}", "$!context.authorizer", "$util.escapeJavaScript('x')", "$input.body",
    "#set($owner = 'bob')", "#set($context.requestOverride.path.owner = 'bob')", "#if(true)x#end", "#end",
    "#foreach($i in [1..9])$i#end", "#parse('x')", "#include('x')", "#stop", "#evaluate('$x')", "##", "#*x*#", "#[[x]]#",
    "$class.inspect('java.lang.Runtime')", "$stageVariables.x", "$owner", "$id", "\\$owner", "$!{owner}", "#macro(x)y#end",
]  # fmt: skip
_JSON = [
    '"', '\\', '\\"', '"}', '"}}', '"},"record":{"S":"current"}}', f'{ID}"}},"TableName":"other","x":{{"S":"', "{}", "[]",
    "null", "true", "0", "-1", '{"S":"bob"}', '{"$ref":"#"}', '","ConsistentRead":false,"x":"', "/*x*/", "//", "'",
    "';--", "' OR '1'='1", "\\u0022", "\\u0000", "\\x22",
]  # fmt: skip
_HEADERS = [
    "x\r\nSet-Cookie: a=b", "x\nLocation: https://example.org", "x\rX: y", "x\r\n\r\n<html>", "\r\n", "\n", "\r", "\t",
    "x\u0085y", "x\u2028y", "x\u2029y", "x\x0by", "x\x0cy", f"{ID}\r\nHost: other", f"{ID}\n", f"\n{ID}", f" {ID}", f"{ID} ",
]  # fmt: skip
_PATHS = [
    ".", "..", "../", "../..", "../bob", f"../bob/{ID}", f"..\\bob\\{ID}", f"bob/{ID}", f"/bob/{ID}", f"{ID}/../../bob/{ID}",
    f"{ID}/", f"/{ID}", f"./{ID}", f"{ID}/.", f"{ID}/..", f"{ID}//", "//", "/", "\\", f"{ID}%2f..", "%2e%2e", "%2e%2e%2f",
    "..%2f..%2fbob", "%252e%252e%252f", "..;/", "..%00/", "%c0%ae%c0%ae/", "%uff0e%uff0e", "~", "~root", "C:\\", "file:///etc/passwd",
    "http://169.254.169.254/", "?versionId=null", f"{ID}?acl", f"{ID}?versions", f"{ID}#x", "*", "?", f"{ID[:-1]}?", f"{ID[:-1]}*",
    "index.html", ".htaccess", "$LATEST", "bob", "current", "version#x",
]  # fmt: skip
_UNICODE = [
    "é", "日本語", "🙂", "\u202e" + ID, "\u200b" + ID, ID + "\u200d", "\ufeff" + ID, "．．／bob", "‥/bob", "ⅰ", "ﬀ", "ß" * 36,
    ID.replace("0", "٠"), ID.replace("0", "０"), ID.replace("a", "а"), ID.replace("-", "‐"), ID.replace("-", "－"), "e\u0301",
    "\u0000", "\u0001", "\u007f", "\u0080", "\ufffd", "\uffff", "İ", "ſ", "K",
]  # fmt: skip
_NEARLY = [
    "", " ", ID.upper(), ID[:-1], ID + "0", ID[1:], ID.replace("-", ""), ID.replace("-", "_"), "{" + ID + "}", f"urn:uuid:{ID}",
    ID + ID, f"{ID},{ID}", f"{ID};{ID}", f"{ID}|{ID}", f"{ID}\0", ID.replace("0", "g"), ID.replace("0", "O"), "0" * 32, "0" * 36,
    "-" * 36, "a" * 1000, "A" * 5000, "(a+)+$", "a{99999}", "[0-9a-f]{8}", ".*", "^.*$", "%s%n", "{0}", "${{7*7}}", "{{7*7}}",
    "<script>", "<!--", "&lt;", "=1+1", "|id", "`id`", "$(id)", "; ls", "&& ls", "NaN", "undefined", "1e309", "0x0", "None",
]  # fmt: skip

_SPELLED = [*_VTL, *_JSON, *_HEADERS, *_PATHS, *_UNICODE, *_NEARLY]

HOSTILE = list(dict.fromkeys([*_SPELLED, *(quote(text, safe="") for text in _SPELLED[:60] if text)]))

NAMES = [
    "$context.apiId", "${context.authorizer}", "#set($context.responseOverride.status = 200)", "$util.urlDecode('%0a')",
    '"},"x":{"', "a\\", "a\\u0022", "'", "</Metadata><x/>", "../../bob/x", f"bob/{ID}", "x; charset=utf-8", "a, b",
    "=?UTF-8?B?eA0KeTo=?=", "%0d%0ax-amz-acl: public-read", "x%00y", "\\r\\nx-amz-tagging: a=b", "%", "~" * 200, "x" * 1900,
    "x\r\n y: z", "x\r\n\tx-amz-acl: public-read", "x\ty", "x\x01y", "x\x0by", "x\x7fy", "x\x00y", "  x  ", " ", "",
    "é", "日本語", "🙂", "e\u0301", "\u202e" + ID, "\ufeff", "\u2028",
]  # fmt: skip
"""Names of files, as the header X-Image-Name is sent with them: those that are one header still."""
