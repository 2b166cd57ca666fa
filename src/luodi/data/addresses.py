# ruff: noqa: E501  # lists of places
"""Postal addresses that are written as addresses usually are, in Chinese and English.

A Chinese address goes from the large to the small: province, city, district, street, number,
building, room. It is known by a place that everyone knows at its head, or by a street with a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from luodi.data.taken import Taken

_PROVINCES = (
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|"
    "贵州|云南|陕西|甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
# The cities of prefectural rank, province by province (GB/T 2260).
_CITIES = (
    "石家庄|唐山|秦皇岛|邯郸|邢台|保定|张家口|承德|沧州|廊坊|衡水|太原|大同|阳泉|长治|晋城|朔州|晋中|运城|忻州|临汾|吕梁|"
    "呼和浩特|包头|乌海|赤峰|通辽|鄂尔多斯|呼伦贝尔|巴彦淖尔|乌兰察布|沈阳|大连|鞍山|抚顺|本溪|丹东|锦州|营口|阜新|辽阳|"
    "盘锦|铁岭|朝阳|葫芦岛|长春|四平|辽源|通化|白山|松原|白城|哈尔滨|齐齐哈尔|鸡西|鹤岗|双鸭山|大庆|伊春|佳木斯|七台河|"
    "牡丹江|黑河|绥化|南京|无锡|徐州|常州|苏州|南通|连云港|淮安|盐城|扬州|镇江|泰州|宿迁|杭州|宁波|温州|嘉兴|湖州|绍兴|"
    "金华|衢州|舟山|台州|丽水|合肥|芜湖|蚌埠|淮南|马鞍山|淮北|铜陵|安庆|黄山|滁州|阜阳|宿州|六安|亳州|池州|宣城|福州|厦门|"
    "莆田|三明|泉州|漳州|南平|龙岩|宁德|南昌|景德镇|萍乡|九江|新余|鹰潭|赣州|吉安|宜春|抚州|上饶|济南|青岛|淄博|枣庄|东营|"
    "烟台|潍坊|济宁|泰安|威海|日照|临沂|德州|聊城|滨州|菏泽|郑州|开封|洛阳|平顶山|安阳|鹤壁|新乡|焦作|濮阳|许昌|漯河|"
    "三门峡|南阳|商丘|信阳|周口|驻马店|武汉|黄石|十堰|宜昌|襄阳|鄂州|荆门|孝感|荆州|黄冈|咸宁|随州|长沙|株洲|湘潭|衡阳|"
    "邵阳|岳阳|常德|张家界|益阳|郴州|永州|怀化|娄底|广州|韶关|深圳|珠海|汕头|佛山|江门|湛江|茂名|肇庆|惠州|梅州|汕尾|河源|"
    "阳江|清远|东莞|中山|潮州|揭阳|云浮|南宁|柳州|桂林|梧州|北海|防城港|钦州|贵港|玉林|百色|贺州|河池|来宾|崇左|海口|三亚|"
    "儋州|成都|自贡|攀枝花|泸州|德阳|绵阳|广元|遂宁|内江|乐山|南充|眉山|宜宾|广安|达州|雅安|巴中|资阳|贵阳|六盘水|遵义|安顺|"
    "毕节|铜仁|昆明|曲靖|玉溪|保山|昭通|丽江|普洱|临沧|拉萨|日喀则|昌都|林芝|山南|那曲|西安|铜川|宝鸡|咸阳|渭南|延安|汉中|"
    "榆林|安康|商洛|兰州|嘉峪关|金昌|白银|天水|武威|张掖|平凉|酒泉|庆阳|定西|陇南|西宁|海东|银川|石嘴山|吴忠|固原|中卫|"
    "乌鲁木齐|克拉玛依|吐鲁番|哈密|昆山|义乌|晋江|江阴"
)
# What ends a name before it: a sentence says "我住在", an address does not.
_SIGN = r"(?!(?<=[送到抵直])达)(?![我你您他她它在住到于是为从寄送至给的了与及或去往这那有把请叫说就都也很])[一-龥]"
_HEAD = re.compile(
    f"(?:(?:{_PROVINCES})(?:省|市|壮族自治区|回族自治区|维吾尔自治区|自治区|特别行政区)?"
    f"[ ,，]?(?:(?:{_CITIES})市?)?|(?:{_CITIES})市?)"
    "(?![东西南北中]?(?:路|街|大道|大街))"  # Nanjing Road lies in Shanghai
)
_UNIT = re.compile(
    rf"[ ,，]?(?:{_SIGN}){{1,7}}?(?:自治州|自治县|自治旗|新区|开发区|高新区|地区|市|区|县|旗|盟|州)(?![一-龥]?号)"
)
_STREET_WORDS = (
    "大道|大街|街道|路|街|巷|弄|胡同|镇|乡|村|屯|社区|小区|花园|家园|公寓|大厦|广场|中心|新村|花苑|苑|园|"
    "城|府|庭|湾|坊|里|道"
)
_STREET = re.compile(
    rf"[ ,，]?(?:(?:{_SIGN})|[A-Za-z0-9]){{1,9}}?(?:{_STREET_WORDS})"
    r"(?:[东西南北中]|[一二三四五六七八九十]|东段|西段|南段|北段|中段)?(?:路|街|段)?"
)
_COUNT = r"(?:[A-Za-z]?[0-9]{1,5}(?:-[0-9]{1,4}){0,3}|[一二三四五六七八九十百]{1,4}|[甲乙丙丁]?[0-9]{1,4}|[A-Za-z])"
_NUMBER = re.compile(
    rf"[ ,，]?(?:附|之|第)?{_COUNT} ?"
    r"(?:号院|号楼|号|弄|栋|幢|座|单元|层|楼|室|房|户|组|队|巷)(?:之[0-9一二三四五六七八九十]{1,2})?"
)
# An estate may be called anything; its buildings tell that it is one.
_ESTATE = re.compile(rf"[ ,，]?(?:{_SIGN}){{2,8}}?(?=[A-Za-z0-9]{{1,3}} ?(?:号楼|栋|幢|座|单元))")
_ROOM = re.compile(r"[ ,，-]?[0-9]{2,4}(?:-[0-9]{1,4})?(?![0-9年月日元块个.%])")
_LOOSE = re.compile(
    rf"(?:(?:{_SIGN}){{2,6}}(?:新区|市|区|县|镇))?"
    rf"(?:{_SIGN}){{2,8}}?(?:大道|大街|路|街|巷|弄|胡同|小区|花园|家园|公寓|新村|村|花苑|苑)"
    r"(?:[东西南北中]路|[东西南北]段|[一二三四五六七八九十]路)?"
    rf"(?={_COUNT}(?:号|弄|栋|幢|座|单元|室|组))"
)
_ENGLISH = (
    re.compile(
        r"(?<![\w.])[0-9]{1,6}[A-Za-z]?,? (?:(?:[NSEW]\.?|North|South|East|West) )?"
        r"(?:[A-Z0-9][\w'’.-]{0,24} ){1,4}?"
        r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Pl|"
        r"Square|Sq|Terrace|Crescent|Close|Highway|Hwy|Parkway|Pkwy)\b\.?"
        r"(?:,? (?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|#)\.? ?[\w-]{1,8})?"
        r"(?:,? [A-Z][\w'’-]{1,20}(?: [A-Z][\w'’-]{1,20}){0,2})?(?:,? [A-Z]{2}\b)?"
        r"(?:,? (?:[0-9]{5}(?:-[0-9]{4})?|[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}))?"
    ),
    re.compile(r"\bP\.? ?O\.? ?Box [0-9]{1,7}\b", re.IGNORECASE),
)


def find_addresses(text: str) -> Iterator[tuple[int, int]]:
    """Where addresses stand: (start, end) of each, in no order, none overlapping."""
    taken = Taken()
    for place in (*_headed(text), *_numbered(text), *_english(text)):
        if taken.take(*place):
            yield place


def _headed(text: str) -> Iterator[tuple[int, int]]:
    """What begins with a known place and goes down to a street or a number."""
    after = 0
    for head in _HEAD.finditer(text):
        if head.start() < after:
            continue
        end, units, streets, numbers = _walk(text, head.end())
        if (numbers and (units or streets)) or (units and streets):
            after = end
            yield head.start(), end


def _walk(text: str, end: int) -> tuple[int, int, int, int]:
    """From `end` on: where the address ends; its districts, streets and numbers."""
    units = streets = numbers = 0
    while units < 4 and not (numbers or streets) and (unit := _UNIT.match(text, end)):
        end, units = unit.end(), units + 1
    while streets + numbers < 12:
        if number := _NUMBER.match(text, end):
            end, numbers = number.end(), numbers + 1
        elif numbers and text[end : end + 1] in (",", "，"):
            break  # another address, or the sentence, goes on behind it
        elif street := _STREET.match(text, end) or _ESTATE.match(text, end):
            end, streets = street.end(), streets + 1
        else:
            break
    if numbers and (room := _ROOM.match(text, end)):
        end = room.end()
    return end, units, streets, numbers


def _numbered(text: str) -> Iterator[tuple[int, int]]:
    """A street or an estate with a number, no known place before it."""
    after = 0
    for street in _LOOSE.finditer(text):
        if street.start() >= after:
            after, *_ = _walk(text, street.end())
            yield street.start(), after


def _english(text: str) -> Iterator[tuple[int, int]]:
    for pattern in _ENGLISH:
        for match in pattern.finditer(text):
            yield match.span()
