"""Words of queries that no attribute is guessed from: how people ask, and little words of grammar."""

_WORDS = """
a an the and or nor for with in of to on at from by as is are be it this that these those i me my we our us you your he
his they their want wants need needs look looking show find get buy give have has any some something anything thing
things one ones please can could would like do does not no very really quite nice good great best new cheap style type
kind sort color colour coloured size sized wear wearing worn made product products item items piece but without except
everything other than non minus exclude excluding never under over below above only also too s t change swap
instead same similar another different rather
的 了 和 与 或 及 要 想 买 找 我 你 他 她 有 没 没有 个 款 件 条 双 只 一 适合 穿 穿的 给 用 用的 带 推荐 看看 请
帮 吗 呢 吧 有没有 想买 一款 一个 一件 一条 一双 那种 这种 什么 怎么 可以 好看 好看的 比较 一点 一些 不 非 是 不是 不要
除了 以外 商品 产品 单品 东西 色 式 类 种 上 下 里 在 都 就 也 很 最 新款 我要 想要 颜色 款式 风格
换 换成 换个 换一个 改成 变成 颜色的 类似 同款 一样 一样的 这样 这样的 另一个 其他 别的
"""
FILLERS = frozenset(_WORDS.split())
