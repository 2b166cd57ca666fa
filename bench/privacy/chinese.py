# ruff: noqa: E501  # lists of names
"""Chinese sentences with labelled personal data, made from templates.

Nobody is meant: every name, number and address is drawn at random, the numbers with their right
check digits. What rules and thresholds were chosen on (`dev`) and what they are judged on (`test`)
share no template, no surname or given name, no street, no town: only the kinds are the same.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from bench.privacy.check_digits import credit_code, id_card, luhn


@dataclass(frozen=True)
class Labelled:
    """A text and its personal data: (kind, start, end) each."""

    text: str
    spans: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class _Stock:
    """What one half draws from."""

    surnames: list[str]
    given: list[str]
    towns: list[tuple[str, str, str, str]]  # province, city, district, area code
    streets: list[str]
    estates: list[str]
    domains: list[str]
    templates: list[str]
    distractors: list[str]


_DEV = _Stock(
    ["王", "张", "刘", "黄", "周", "徐", "朱", "林", "何", "郭", "罗", "宋", "韩", "冯", "曹", "董", "程", "袁", "许", "沈", "彭", "吕", "蒋", "贾", "余", "杜", "戴", "田", "姜", "范", "欧阳", "诸葛"],
    ["伟", "芳", "秀英", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "秀兰", "霞", "平", "刚", "桂英", "建华", "志强", "文静", "晓燕", "海燕", "子涵", "雨桐", "浩然", "梓轩", "欣怡", "思远", "国栋", "俊杰", "婷婷", "美玲", "玉兰", "春梅", "德华", "永康", "佳琪", "嘉豪", "若曦"],
    [
        ("", "北京市", "朝阳区", "010"), ("广东省", "深圳市", "南山区", "0755"),
        ("浙江省", "杭州市", "西湖区", "0571"), ("四川省", "成都市", "武侯区", "028"),
        ("湖北省", "武汉市", "江汉区", "027"), ("山东省", "青岛市", "市南区", "0532"),
        ("江苏省", "苏州市", "姑苏区", "0512"), ("陕西省", "西安市", "雁塔区", "029"),
    ],
    ["建国路", "人民路", "文三路", "科技园南路", "解放大道", "香港中路", "观前街", "长安街", "天府大道北段", "滨海大街", "学院路", "五一路"],
    ["阳光花园", "翠竹小区", "万科城", "碧桂园", "东方家园", "锦绣苑", "和平公寓", "金地名京"],
    ["qq.com", "163.com", "example.com.cn", "gmail.com", "mail.example.cn"],
    [
        "您好，我叫{NAME}，手机号是{PHONE}，麻烦尽快联系我。",
        "收件人：{NAME}，电话：{PHONE}，地址：{ADDRESS}",
        "昨天{NAME}去银行办理业务，卡号{BANK_CARD}被吞了。",
        "客户{NAME}反映快递未送达{ADDRESS}，请核实。",
        "姓名：{NAME} 身份证号：{ID_CARD} 开户行卡号：{BANK_CARD}",
        "请把发票开给统一社会信用代码为{CREDIT_CODE}的公司，邮箱{EMAIL}。",
        "我同事{NAME}的邮箱是{EMAIL}，座机{PHONE}。",
        "车主{NAME}驾驶{PLATE}在高速上超速，罚款200元。",
        "护照号码{PASSPORT}，持有人{NAME}，有效期至2030年5月1日。",
        "登录IP为{IP}，时间2024-03-05 10:22:31，账号{EMAIL}。",
        "{NAME}和{NAME}是大学同学，现在都住在{ADDRESS}。",
        "主治医生{NAME}建议患者{NAME}下周三复查。",
        "据{NAME}介绍，该项目已于去年完成。",
        "{NAME}说他没有收到退款，要求投诉。",
        "我住{ADDRESS}，你们什么时候可以上门维修？",
        "停车场里那辆{PLATE}一直没挪，请打{PHONE}通知车主。",
        "这位是{NAME}先生，他的身份证{ID_CARD}已登记。",
        "转账给{NAME}：{BANK_CARD}，建设银行。",
        "公司名称登记代码{CREDIT_CODE}，联系人{NAME}，联系电话{PHONE}",
        "服务器{IP}无法访问，请{NAME}处理一下，谢谢！",
        "出差人员{NAME}（护照{PASSPORT}）预订了周五的机票。",
        "感谢{NAME}老师的悉心指导，孩子进步很大。",
        "请{NAME}女士携带身份证（{ID_CARD}）到{ADDRESS}领取证件。",
        "事故车辆{PLATE}与{PLATE}发生刮擦，双方联系方式{PHONE}、{PHONE}。",
    ],
    [
        "订单号202403051234567890已发货，预计3天到达。",
        "这款手机8核处理器，内存12GB，价格3999元，性价比很高。",
        "会议定于2024年5月31日下午14:30在三楼会议室召开。",
        "版本1.2.3修复了若干问题，建议尽快升级。",
        "北京的秋天很美，上海的街道很干净。",
        "这本书的ISBN是978-7-111-12345-6，共320页。",
        "高兴的是快递很快就到了，黄色的包装也很漂亮。",
        "周末去了公园，许多人在跳舞，何时再去还没定。",
    ],
)  # fmt: skip

_TEST = _Stock(
    ["李", "陈", "杨", "赵", "吴", "孙", "马", "胡", "高", "梁", "郑", "谢", "唐", "邓", "曾", "肖", "于", "潘", "叶", "魏", "苏", "丁", "任", "卢", "姚", "崔", "钟", "谭", "陆", "汪", "司马", "上官", "皇甫"],
    ["娜", "鹏", "飞", "波", "辉", "斌", "宇", "凯", "健", "莉", "玲", "颖", "琳", "倩", "萍", "梅", "红", "雪", "建军", "建平", "志明", "志伟", "晓东", "晓明", "海涛", "子轩", "雨欣", "宇航", "梓涵", "诗涵", "一诺", "思琪", "国强", "俊峰", "丹丹", "美华", "玉珍", "秋菊", "文博", "永强", "佳怡", "嘉欣", "若彤", "天佑", "淑贞", "振华"],
    [
        ("", "上海市", "浦东新区", "021"), ("广东省", "广州市", "天河区", "020"),
        ("福建省", "厦门市", "思明区", "0592"), ("湖南省", "长沙市", "岳麓区", "0731"),
        ("辽宁省", "大连市", "沙河口区", "0411"), ("河南省", "郑州市", "金水区", "0371"),
        ("安徽省", "合肥市", "蜀山区", "0551"), ("云南省", "昆明市", "五华区", "0871"),
        ("", "重庆市", "渝北区", "023"), ("河北省", "石家庄市", "长安区", "0311"),
    ],
    ["世纪大道", "中山路", "天河北路", "湖滨南路", "芙蓉中路二段", "黄河路", "花园路", "长江西路", "翠湖北路", "龙溪街", "槐安东路", "复兴巷", "梧桐街"],
    ["保利香槟花园", "绿地新都会", "书香门第小区", "龙湖天街", "海棠公寓", "御景湾", "水岸新村", "紫金华府"],
    ["126.com", "sina.com", "outlook.com", "corp.example.com", "mail.example.edu.cn", "foxmail.com"],
    [
        "麻烦帮我查一下，本人{NAME}，预留电话{PHONE}，上周买的冰箱还没送。",
        "【投诉】投诉人{NAME}，身份证{ID_CARD}，要求退还押金。",
        "寄件地址写错了，应该是{ADDRESS}，收货人改成{NAME}，手机{PHONE}",
        "老板让{NAME}明天去{ADDRESS}见客户。",
        "我和{NAME}约好了周六见面，结果她没来。",
        "{NAME}的工资卡是{BANK_CARD}，请财务核对。",
        "供应商税号{CREDIT_CODE}，对账请发{EMAIL}",
        "微信不方便的话发我邮箱{EMAIL}，或打{PHONE}。",
        "监控拍到一辆车牌为{PLATE}的白色轿车闯红灯。",
        "旅客{NAME}，护照：{PASSPORT}，航班MU5101，座位32A。",
        "检测到来自{IP}的异常登录，如非本人操作请修改密码。",
        "证人{NAME}称，当晚看见{NAME}独自离开。",
        "值班护士{NAME}记录：病人{NAME}体温38.5度。",
        "经理{NAME}批准了{NAME}的请假申请。",
        "孩子叫{NAME}，今年六岁，在{ADDRESS}附近上幼儿园。",
        "家里地址：{ADDRESS}。门铃坏了请打电话{PHONE}",
        "对方车{PLATE}全责，保险公司已定损，理赔款打到{BANK_CARD}。",
        "我的证件号{ID_CARD}，帮忙看下社保缴了没有",
        "贵公司（{CREDIT_CODE}）的法定代表人{NAME}已变更。",
        "数据库主机{IP}磁盘满了，已通知{NAME}扩容。",
        "办理签证需提供护照（号码{PASSPORT}）及银行流水。",
        "特别感谢客服{NAME}，态度非常好，问题一次解决！",
        "合同甲方：{NAME}，住址：{ADDRESS}，身份证号码：{ID_CARD}。",
        "退款退到尾号对应的卡{BANK_CARD}里，户名{NAME}。",
        "{NAME}，男，45岁，因胸闷三天入院。",
        "新来的实习生{NAME}分到了我们组，工位在{NAME}旁边。",
        "传真{PHONE}，邮箱{EMAIL}，联系人{NAME}",
        "租客{NAME}拖欠房租两个月，房屋位于{ADDRESS}。",
        "请问{PLATE}这辆车的违章可以网上处理吗？",
        "张贴公告：{NAME}中奖，请联系{PHONE}领奖。",
    ],
    [
        "快递单号SF1234567890123已签收，感谢您的使用。",
        "空调功率1500W，能效一级，双十一到手价2899元。",
        "发布会将于2025年1月8日上午9:00开始，时长120分钟。",
        "请升级到10.4.2版本后重启，错误码0x80070005。",
        "杭州的西湖和广州的早茶都值得一去。",
        "商品条码6901234567892，生产日期20240115，批号A20240115。",
        "马上就到中秋了，高端月饼礼盒任选，于是我买了两盒。",
        "任何时候都不要忘记关火，马路对面有消防栓。",
        "唐朝诗歌很有意思，苏菜清淡，谢谢推荐。",
        "利率从3.85%降到3.45%，每月少还426.35元。",
    ],
)  # fmt: skip

_PROVINCE_SIGNS = "京沪粤浙苏川鄂鲁陕闽湘辽豫皖云渝冀"


def chinese(part: str, rows: int, seed: int) -> list[Labelled]:
    """`rows` labelled texts of the `dev` or the `test` half; one in six holds none."""
    stock = {"dev": _DEV, "test": _TEST}[part]
    rng = random.Random(f"{part}-{seed}")
    made = []
    for _ in range(rows):
        if rng.random() < 1 / 6:
            made.append(Labelled(rng.choice(stock.distractors), ()))
        else:
            made.append(_fill(rng.choice(stock.templates), stock, rng))
    return made


def _fill(template: str, stock: _Stock, rng: random.Random) -> Labelled:
    pieces: list[str] = []
    spans = []
    length = 0
    for part in re.split(r"(\{[A-Z_]+\})", template):
        piece = part
        if part.startswith("{"):
            kind = part[1:-1]
            piece = _MAKERS[kind](stock, rng)
            spans.append((kind, length, length + len(piece)))
        pieces.append(piece)
        length += len(piece)
    return Labelled("".join(pieces), tuple(spans))


def _name(stock: _Stock, rng: random.Random) -> str:
    return rng.choice(stock.surnames) + rng.choice(stock.given)


def _phone(stock: _Stock, rng: random.Random) -> str:
    if rng.random() < 0.25:
        area = rng.choice(stock.towns)[3]
        number = f"{rng.randint(2, 8)}{rng.randint(0, 10**7 - 1):07}"[: 8 if len(area) < 4 else 7]
        return rng.choice(
            [f"{area}-{number}", f"({area}){number}", f"{area}-{number}-{rng.randint(1, 999)}"]
        )
    head = f"1{rng.choice('3578')}{rng.randint(0, 9)}"
    middle, tail = f"{rng.randint(0, 9999):04}", f"{rng.randint(0, 9999):04}"
    form = rng.choice(["{}{}{}"] * 4 + ["{}-{}-{}", "{} {} {}", "+86 {}{}{}", "+86-{}{}{}"])
    return form.format(head, middle, tail)


def _email(stock: _Stock, rng: random.Random) -> str:
    user = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(4, 9)))
    extra = rng.choice(
        ["", str(rng.randint(1, 9999)), f".{rng.choice('abcdef')}", f"_{rng.randint(80, 99)}"]
    )
    return f"{user}{extra}@{rng.choice(stock.domains)}"


def _card(stock: _Stock, rng: random.Random) -> str:
    length, head = rng.choice(
        [(19, "622202"), (19, "621700"), (16, "622848"), (16, "4"), (16, "51"), (18, "621226")]
    )
    number = luhn(head, length, rng)
    if rng.random() < 0.3:
        return " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    return number


def _passport(stock: _Stock, rng: random.Random) -> str:
    if rng.random() < 0.3:
        return f"E{rng.choice('ABCDEFGHJK')}{rng.randint(0, 10**7 - 1):07}"
    return f"{rng.choice('EG')}{rng.randint(0, 10**8 - 1):08}"


def _plate(stock: _Stock, rng: random.Random) -> str:
    signs = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    head = rng.choice(_PROVINCE_SIGNS) + rng.choice(signs[:8]) + rng.choice(["", "", "·"])
    if rng.random() < 0.25:
        return f"{head}{rng.choice('DF')}{rng.randint(0, 99999):05}"
    body = [rng.choice("0123456789") for _ in range(5)]
    for place in rng.sample(range(5), rng.randint(0, 2)):
        body[place] = rng.choice(signs)
    return head + "".join(body)


def _address(stock: _Stock, rng: random.Random) -> str:
    province, city, district, _ = rng.choice(stock.towns)
    street, estate = rng.choice(stock.streets), rng.choice(stock.estates)
    number = rng.randint(1, 999)
    room = (
        f"{rng.randint(1, 30)}栋{rng.randint(1, 4)}单元{rng.randint(1, 30)}0{rng.randint(1, 4)}室"
    )
    return rng.choice(
        [
            f"{province}{city}{district}{street}{number}号",
            f"{province}{city}{district}{street}{number}号{estate}{room}",
            f"{city}{district}{estate}{room}",
            f"{district}{street}{number}号{estate}{rng.randint(1, 20)}号楼{rng.randint(101, 2905)}",
            f"{street}{number}号",
            f"{street}{number}弄{rng.randint(1, 60)}号{rng.randint(101, 1804)}室",
            f"{city}{street}{number}号{rng.randint(2, 30)}层",
        ]
    )


def _ip(stock: _Stock, rng: random.Random) -> str:
    if rng.random() < 0.2:
        return ":".join(f"{rng.randint(0x1000, 0xFFFF):x}" for _ in range(8))
    return ".".join(str(rng.randint(1, 254)) for _ in range(4))


_MAKERS = {
    "NAME": _name, "PHONE": _phone, "EMAIL": _email, "BANK_CARD": _card, "PASSPORT": _passport,
    "PLATE": _plate, "ADDRESS": _address, "IP": _ip,
    "ID_CARD": lambda stock, rng: id_card(rng), "CREDIT_CODE": lambda stock, rng: credit_code(rng),
}  # fmt: skip
