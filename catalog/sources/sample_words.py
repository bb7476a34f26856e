"""Words of the built-in sample: what it sells, in English and Chinese. All brands are invented."""

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.sources.drawing import Colour, Pattern


@dataclass(frozen=True)
class Goods:
    """One category: English and Chinese words, prices in EUR."""

    department: str
    nouns: tuple[str, ...]
    chinese: tuple[str, ...]  # the first is the term
    materials: tuple[str, ...]
    usages: tuple[str, ...]
    price: float
    worn_by: tuple[str, ...] = ()
    indoors: bool = False  # photographed on a floor or table


GOODS: Mapping[str, Goods] = {
    "Dresses": Goods(
        "Clothing", ("Dress", "Summer Dress"), ("连衣裙", "裙子"),
        ("Cotton", "Linen", "Silk"), ("Casual", "Party"), 59, ("Women", "Girls")
    ),
    "T-shirts": Goods(
        "Clothing", ("T-Shirt", "Tee"), ("T恤", "短袖"),
        ("Cotton", "Linen"), ("Casual", "Sports"), 19, ("Men", "Women", "Kids")
    ),
    "Trousers": Goods(
        "Clothing", ("Trousers", "Pants"), ("长裤", "裤子"),
        ("Cotton", "Linen", "Wool"), ("Casual", "Formal"), 49, ("Men", "Women")
    ),
    "Shoes": Goods(
        "Shoes", ("Sneakers", "Shoes"), ("运动鞋", "鞋子"),
        ("Canvas", "Leather"), ("Casual", "Sports"), 69, ("Men", "Women", "Kids")
    ),
    "Bags": Goods(
        "Accessories", ("Handbag", "Bag"), ("手提包", "包包"),
        ("Leather", "Canvas"), ("Casual", "Party"), 89, ("Women",)
    ),
    "Watches": Goods(
        "Accessories", ("Watch", "Wristwatch"), ("手表", "腕表"),
        ("Leather", "Canvas"), ("Formal", "Sports"), 120, ("Men", "Women")
    ),
    "Hats": Goods(
        "Accessories", ("Hat", "Sun Hat"), ("帽子", "礼帽"),
        ("Straw", "Wool"), ("Casual", "Outdoor"), 29, ("Men", "Women")
    ),
    "Scarves": Goods(
        "Accessories", ("Scarf",), ("围巾",),
        ("Wool", "Silk", "Cotton"), ("Casual", "Outdoor"), 25, ("Men", "Women")
    ),
    "Umbrellas": Goods("Accessories", ("Umbrella",), ("雨伞", "伞"), ("Nylon",), ("Outdoor",), 22),
    "Mugs": Goods(
        "Home", ("Mug", "Coffee Mug"), ("马克杯", "杯子"),
        ("Ceramic", "Enamel"), ("Home", "Office"), 12, (), True
    ),
    "Chairs": Goods(
        "Home", ("Chair", "Dining Chair"), ("椅子", "餐椅"),
        ("Wood", "Metal"), ("Home", "Office"), 140, (), True
    ),
    "Lamps": Goods(
        "Home", ("Table Lamp", "Lamp"), ("台灯", "灯"),
        ("Wood", "Metal", "Ceramic"), ("Home", "Office"), 75, (), True
    ),
}  # fmt: skip

COLOURS: Mapping[str, Colour] = {
    "Black": (32, 32, 36), "White": (246, 245, 242), "Grey": (148, 148, 152), "Red": (198, 38, 44),
    "Blue": (48, 104, 200), "Navy": (30, 42, 92), "Green": (44, 132, 70), "Yellow": (244, 204, 52),
    "Orange": (238, 128, 40), "Purple": (120, 62, 160), "Pink": (240, 150, 184), "Brown": (116, 74, 46),
    "Beige": (218, 198, 164), "Turquoise": (54, 184, 180),
}  # fmt: skip

PATTERNS: tuple[Pattern, ...] = ("Plain", "Striped", "Dotted", "Checked", "Zigzag", "Floral")

# Every facet value but the categories; the first Chinese name is the one used in titles.
CHINESE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "colour": {
        "Black": ("黑色",), "White": ("白色",), "Grey": ("灰色",), "Red": ("红色",), "Blue": ("蓝色",),
        "Navy": ("藏青色", "深蓝色"),
        "Green": ("绿色",), "Yellow": ("黄色",), "Orange": ("橙色", "橘色"), "Purple": ("紫色",),
        "Pink": ("粉色", "粉红色"),
        "Brown": ("棕色", "咖啡色"), "Beige": ("米色",), "Turquoise": ("湖蓝色",),
    },
    "pattern": {
        "Plain": ("纯色", "素色"), "Striped": ("条纹",), "Dotted": ("波点", "圆点"), "Checked": ("格子", "格纹"),
        "Zigzag": ("锯齿纹",), "Floral": ("碎花",),
    },
    "gender": {"Men": ("男士", "男款"), "Women": ("女士", "女款"), "Girls": ("女童",), "Kids": ("儿童",)},
    "material": {
        "Cotton": ("纯棉", "棉"), "Linen": ("亚麻",), "Silk": ("真丝",), "Wool": ("羊毛",),
        "Canvas": ("帆布",), "Leather": ("皮革",),
        "Straw": ("草编",), "Nylon": ("尼龙",), "Ceramic": ("陶瓷",), "Enamel": ("搪瓷",), "Wood": ("木质",),
        "Metal": ("金属",),
    },
    "usage": {
        "Casual": ("休闲",), "Party": ("派对",), "Sports": ("运动",), "Formal": ("正式",),
        "Outdoor": ("户外",), "Home": ("家居",),
        "Office": ("办公",),
    },
}  # fmt: skip

BRANDS = ("Velmora", "Larkono", "Pelluva", "Nimbari", "Kotumi", "Brisela", "Ondavi", "Fjelkar", "Quistle", "Tavenna")

# A design's name, in both languages.
DESIGNS = (
    ("Harbour", "港湾"), ("Meadow", "草地"), ("Cinder", "余烬"), ("Lantern", "灯笼"), ("Pebble", "卵石"),
    ("Willow", "柳叶"),
    ("Comet", "彗星"), ("Breeze", "微风"), ("Canyon", "峡谷"), ("Ripple", "涟漪"), ("Orchard", "果园"),
    ("Summit", "山顶"),
    ("Thistle", "蓟花"), ("Drift", "漂流"), ("Echo", "回声"), ("Fable", "寓言"), ("Glade", "林间"), ("Island", "海岛"),
    ("Journey", "旅程"), ("Kite", "风筝"), ("Lagoon", "浅湾"), ("Mosaic", "马赛克"), ("Nomad", "游牧"),
    ("Opera", "歌剧"),
    ("Prairie", "草原"), ("Quarry", "石场"), ("River", "河流"), ("Sonnet", "诗行"), ("Tundra", "苔原"),
    ("Vista", "远景"),
)  # fmt: skip

SENTENCES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Clothing": (
        ("Cut to move with you and easy to wash.", "剪裁贴合，方便清洗。"),
        ("Soft on the skin, made for long days.", "触感柔软，适合全天穿着。"),
        ("A relaxed fit that keeps its shape.", "版型宽松，不易变形。"),
    ),
    "Shoes": (
        ("Light sole, padded heel, no breaking in.", "鞋底轻便，后跟加垫，无需磨合。"),
        ("Grips well on wet streets.", "湿滑路面也不打滑。"),
    ),
    "Accessories": (
        ("A small thing that finishes an outfit.", "点睛的小物。"),
        ("Made to be carried every day.", "适合每天使用。"),
        ("Comes in a gift box.", "附礼盒包装。"),
    ),
    "Home": (
        ("Made in small batches for a warm room.", "小批量制作，为家添一份温暖。"),
        ("Wipes clean in a moment.", "一擦即净。"),
    ),
}
REVIEWS = (
    "Exactly as in the picture.",
    "Good value, quick delivery.",
    "颜色很正，喜欢。",
    "A bit smaller than expected.",
    "质量不错，会再买。",
)
