# lists of texts
"""Chinese sentences that hold nobody's data, but much that looks like it.

Written in one go before any rule was changed for them, then dealt into two halves by a digest of
each template: rules were chosen on `dev`, and what they do in `judged` was counted, not read. Two
sentences a template, with other numbers: a template counts once, however many are made of it.
"""

from __future__ import annotations

import hashlib
import random
import re

from bench.privacy.check_digits import luhn

_TEMPLATES = (
    # Numbers as long as cards, codes and phones.
    "您的订单{stamp}{8}已提交，请在30分钟内付款。",
    "流水号{stamp}{10}，交易成功。",
    "支付宝交易号{stamp}22001{11}，金额58.00元。",
    "商品条形码{ean}，扫不出来，麻烦看一下。",
    "条码：{ean}；规格：500ml×12",
    "这箱牛奶的69码是{ean}吗？",
    "国际条码{ean13}对应的是进口款。",
    "手机IMEI：{imei}，还在保修期内。",
    "设备串号{imei}已激活。",
    "SIM卡的ICCID是{iccid}，请重新实名。",
    "序列号SN{12}，保修两年。",
    "运单YT{13}显示派送中。",
    "圆通单号{13}三天没有更新物流了",
    "中通快递{12}卡在转运中心了。",
    "顺丰SF{13}今天能到吗",
    "邮政EMS：EA{9}CN，查不到信息。",
    "发票代码{12}，发票号码{8}。",
    "合同编号HT-{date}-{4}已归档。",
    "批号{date}，有效期至{date}。",
    "产品批号G{date}，生产线E{2}。",
    "型号E{8}的滤芯还有货吗？",
    "ISBN {isbn}，定价45.00元。",
    "专利号ZL{year}1{7}.{1}已公告。",
    "案号（{year}）京0105民初{5}号。",
    "国药准字H{date}，请仔细阅读说明书。",
    "批准文号：国食健字G{date}。",
    "股票代码600519，收盘价1688.00，成交{8}股。",
    "基金代码{6}，净值1.2345。",
    "身高175，体重70，血压120/80，心率72。",
    "白细胞6.5，血红蛋白135，血小板210，谷丙转氨酶{2}。",
    "坐标东经116.397428，北纬39.90923。",
    "请升级到{1}.{1}.{2}.{3}版本后再试。",
    "固件版本号{1}.{1}.{1}.{1}，驱动版本31.0.15.{4}。",
    "微信版本8.0.32.{2}闪退。",
    "系统Windows 10.0.{5}.{4}蓝屏。",
    "学号{stamp}{4}，成绩优秀。",
    "工号{8}的坐席态度很好。",
    "房号1208，押金300，退房时没退。",
    "桌号{2}，等位号A{3}，还要多久？",
    "航班CA{4}延误了三个小时。",
    "高铁G{4}次08车12F，二等座。",
    "共计12,345,678.90元，其中税额1,420,299.32元。",
    "人口约1412600000，面积9600000平方公里。",
    "时间戳{unix}000对应哪一天？",
    "快递柜取件码{6}，请及时取件。",
    "验证码{6}，5分钟内有效，请勿泄露。",
    "话费余额12.34元，本月流量已用{5}MB。",
    "QQ群{9}，欢迎加入。",
    "比分3-2，场均25-10-8，命中率50-40-90。",
    "电话会议改到13:30-15:00，请准时参加。",
    "电压220V，频率50-60Hz，功率1200-1500-1800W三档。",
    "尺寸60-90-120三种，价格100-200-300不等。",
    "开奖号码03-08-15-22-27-31+06。",
    "年份2019-2020-2021三年的数据都缺。",
    # Words that begin as surnames do, or that name things as people are named.
    "金属外壳很有质感，黄金比例看着舒服。",
    "白天人多，晚上人少，高峰期要排队。",
    "方便面涨价了，水果也贵，石榴倒是便宜。",
    "马桶堵了，毛巾有异味，前台说马上处理。",
    "路由器总断网，于是换了一台。",
    "项目经理和产品经理都说没问题。",
    "安全第一，康复第二，别急着上班。",
    "温度太高，空调不制冷，冷气不足。",
    "房间干净，沙发舒服，窗帘遮光，毛毯厚实。",
    "任务完成后请及时提交，谢谢配合。",
    "黄瓜、白菜、胡萝卜、牛肉、马铃薯，一样来一斤。",
    "周一到周五营业，周末休息，何时恢复另行通知。",
    "谢谢老板，高兴极了，平安到家。",
    "雷阵雨转多云，江南大部有雨，江北多云。",
    "宝宝喜欢这个玩具，奶奶也说好，姥姥天天夸。",
    "老板娘很热情，服务员小妹态度也好。",
    "万一坏了怎么办，保修多久，包退吗？",
    "祝生意兴隆，财源广进，万事如意。",
    "华东地区包邮，西北地区加收运费。",
    "和田玉枣个头大，黄山毛峰香气足。",
    "普洱茶、龙井、碧螺春、铁观音、大红袍都有。",
    "麻婆豆腐、宫保鸡丁、东坡肉、夫妻肺片，味道正宗。",
    "孔府宴和曹雪芹故居旁边的那家店不一样。",
    "杜蕾斯、李宁、王老吉、张小泉、老干妈都是老牌子。",
    "李锦记蚝油和王致和腐乳一起下单了。",
    "马应龙痔疮膏和云南白药要分开用。",
    "周大福的金价比周生生贵两块。",
    "海尔冰箱和格力空调哪个省电？",
    "联想小新和华为荣耀哪个值得买？",
    "康师傅和统一都在打折，康佳电视也是。",
    "白加黑白天吃白片不瞌睡，晚上吃黑片睡得香。",
    "六味地黄丸、逍遥丸、安宫牛黄丸不能混着吃。",
    "阿莫西林和头孢克肟哪个好？布洛芬能一起吃吗？",
    "高血压、糖尿病、冠心病患者慎用。",
    "帕金森病和阿尔茨海默病有什么区别？",
    "黄体酮偏低，孕酮偏低，医生说要保胎。",
    "方程无解，函数单调，向量平行，矩阵可逆。",
    "牛顿第二定律和欧姆定律是重点。",
    "唐宋八大家、汉赋、元曲都要背。",
    "西游记和红楼梦的插图版已售罄。",
    "清明上河图的复制品做工一般。",
    "武汉大学的樱花和南京大学的梧桐都很美。",
    "中山公园离鲁迅公园三站路。",
    "石家庄和张家口这周都下雪了。",
    "张家界、九寨沟、黄山、庐山都去过。",
    "宋庄的画室便宜，马家堡的房租贵。",
    "王府井人太多，西单也堵，国贸停车难。",
    "去陈家祠怎么坐地铁？杨箕站下车吗？",
    "魏公村的烤肉和牛街的切糕都不错。",
    "郑州到洛阳的高铁多久一班？",
    "苏州园林和周庄、同里可以一起玩。",
    "大连的海鲜新鲜，葫芦岛的也行。",
    "前台小姑娘态度差，保安大叔倒热心。",
    "客户反映多次没人处理，负责人说马上解决。",
    "患者高烧三天，家属要求转院。",
    "联系人不在，收件人已搬走，快件退回。",
    "姓名栏不能为空，手机号格式错误，请重新填写。",
    "户名与卡号不符，请核对后重新提交。",
    "申请人应当在十日内提交材料。",
    "法定代表人变更需要哪些材料？",
    "我是新手，第一次买，不知道怎么用。",
    "我叫了外卖，等了一个小时。",
    "本人已阅读并同意上述条款。",
    "持卡人本人到场才能办理，代办无效。",
    "关于退款问题，于本周内答复。",
    "时间来不及，改天再约，常来常往。",
    "成本太高，利润太低，商场竞争激烈。",
    "强烈推荐，严重超值，连夜下单。",
    "单人间没有窗，双人间有阳台，游泳池在顶楼。",
    "包装破损，封口开裂，盖子松了。",
    "麦当劳和肯德基都在一楼，必胜客在三楼。",
    "司机师傅开车很稳，路上一直聊天。",
    "易拉罐漏气，塑料瓶变形，纸箱压扁。",
    "诸葛连弩和司马光砸缸的玩具孩子都喜欢。",
    "皮蛋瘦肉粥、叶儿粑、钟水饺、赖汤圆各一份。",
    "夏天太热，冬天太冷，春秋正好，关键是便宜。",
    # Places and numbers that are no address.
    "三楼会议室已满，请改到五楼大厅。",
    "上海的天气真好，北京的风太大。",
    "离地铁2号线3号口走路五分钟。",
    "人民路上堵车了，绕行中山路吧。",
    "广州市区限行，外地车注意。",
    "第3季第12集在哪里看？",
    "2号楼的电梯坏了一周了。",
    "一号店和三号店哪家大？",
    "京东上买的，苏宁也有，天猫更贵。",
    "粤菜清淡，川菜麻辣，鲁菜咸鲜。",
    "苏B级车和京V牌照是两回事。",
    "浙江省内包邮，江苏省次日达。",
    "南京路步行街人山人海，外滩也是。",
    "小区物业费每平米3块5，太贵。",
    "花园里种了5棵树，3号之前浇一次水。",
    "成都到重庆高速G93出口12公里处服务区。",
    "路边5元店、10元店都关门了。",
    "乡镇卫生院开到下午4点，村里2点就没人了。",
)  # fmt: skip

_SLOT = re.compile(r"\{(\w+)\}")


def lookalikes(part: str, seed: int, each: int = 2) -> list[str]:
    """`each` texts of every template of the `dev` or the `judged` half."""
    rng = random.Random(f"{part}-{seed}")
    return [
        _SLOT.sub(lambda slot: _number(slot[1], rng), template)
        for template in _TEMPLATES
        if half(template) == part
        for _ in range(each)
    ]


def half(text: str) -> str:
    """`dev` or `judged`, by a digest of the text."""
    return ("dev", "judged")[hashlib.sha256(text.encode()).digest()[0] % 2]


def _number(slot: str, rng: random.Random) -> str:
    """A number of the kind that `slot` names: so many digits, a date, a bar code, ..."""
    digits = [str(rng.randrange(10)) for _ in range(30)]
    year, month, day = rng.randint(2018, 2025), rng.randint(1, 12), rng.randint(1, 28)
    if slot.isdigit():
        return str(rng.randint(1, 9)) + "".join(digits[: int(slot) - 1])
    date = f"{year}{month:02}{day:02}"
    return {
        "date": lambda: date,
        "year": lambda: str(year),
        "stamp": lambda: f"{date}{rng.randrange(24):02}{rng.randrange(60):02}",
        "ean": lambda: _ean(f"69{rng.randint(0, 9)}" + "".join(digits[:9])),
        "ean13": lambda: _ean(rng.choice(("400", "500", "880", "471")) + "".join(digits[:9])),
        "isbn": lambda: _ean("9787" + "".join(digits[:8])),
        "imei": lambda: luhn("86" + "".join(digits[:6]), 15, rng),
        "iccid": lambda: luhn("8986" + "".join(digits[:6]), 19, rng),
        "unix": lambda: str(rng.randint(1_500_000_000, 1_800_000_000)),
    }[slot]()


def _ean(body: str) -> str:
    """An article number of 13 digits with its check digit (GS1)."""
    total = sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(body))
    return body + str(-total % 10)
