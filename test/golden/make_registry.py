"""Cases of the pp mini-language: registry:parse_name and builder:get_preprocess_fn."""

import json

import common as c
from big_vision.pp import builder
import big_vision.pp.ops_general  # pylint: disable=unused-import
import big_vision.pp.ops_image  # pylint: disable=unused-import
from big_vision.pp import registry

SPECS = [
    "f", "f()", "a.b.f", "a.b.f()", "f( 1 , 2 )", "f(1,)", "f(a=1,)", "func(1, '2', a=3, foo='bar')",
    'f("it\'s", \'say "x"\')', r"f('a\n\'b\'\\')", "f('é')", "f(r'\\d')", "f('a' 'b')", "f('')", "f(b'x')",
    "f(-1, +2, -.5, 1e-3, 1_000, 0x1f, 5., .5, -(1), +((2)))", "f(True, False, None)", "f((1, 2), [3, 4], (), [], (5,))", "f((1))",
    "f(5. , [5. ], a=-5.\n)", "f(1e1_0, 1_000.5_5e-1_0, 1e+05, 09.5, 0_0, 00, 0X1F, 0b1_1, 0o17)", "f(a=((1_0)), b=(1), c=(2,), d=('x' 'y',))",
    r"""f('a' r'\n' "'b'", '\101\x41\u00e9\U0001F600\q', r'''\d''', '''it's''', u'x')""", "f({'a': {'b': (1, 2,)},}, {1: None, 'c': [True, [],]})",
    "f({'a': 1, 'b': [2]})", "f({1, 2})", "f([(1, 2), (3, [4, {}])])", "f(a=None, b=[1.5, 'x'])", "f(1+2j)",
    # What must fail.
    "", "f(", "f)", "f(a=1, 2)", "f(a==1)", "f(x)", "f(a=x)", "f(1 + 2)", "f(g())", "f(*[1])", "f(a=1,,b=2)",
    "f(1 2)", "1", "'f'", "f[0]", "f()()", "f(lambda: 1)", "f(f'{1}')", "f('a)", "a..b()", "f(not True)",
    "f(- -1)", "f(-True)", "f(-'a')", "f(2**3)", "f(1;2)", "f-g(1)", "f(if=1)",
    "f(1._5)", "f(5. 3)", "f(-1 1)", "f(a=[-1 1])", "f(-0x)", "f(1__0)", "f(1_)", "f(007)", "f(0x)", "f(1.real)", "f(inf)", r"f('\U00110000')", "f('a' b'b')", "f('a' % 1)",
    "f('a'.b)", "f([1][0])", "f((1)(2))", "f(() ())", "f((,))", "f([1,,])", "f({'a'})", "f({'a': 1, 'b'})", "f(1 if 1 else 2)",
    "None", "True(1)", "f(a:=1)", "f(ur'x')", r"f('\x4')", r"f('\u12')",
]
# What Python lets through (but for the first), and what an implementation may do otherwise.
QUIRKS = [" f", "f ", "f().g", "(f)", "f # comment", "f(1) # comment", "f(1)\n", "f(\n1)", "f(a=1, a=2)"]
# What an implementation may build where the original fails.
LENIENT = ["copy('a|b', 'c')", "resize(8) | flip_lr", "flip_lr | resize(8)", " resize(8)"]

PIPELINES = [
    "", "resize(8)", "||resize(8)||flip_lr()|", "resize(8)|value_range(-1, 1)|keep('image')",
    "decode|resize_small(256)|central_crop(224)|value_range(-1, 1)|onehot(1000, key='label', key_result='labels')|keep('image', 'labels')",
    # What must fail.
    "no_such_op", "no_such_op(1)", "resize", "resize()", "resize(8, 'bilinear', True, 1)",  "flip_lr(1)", "resize(8, nope=1)", "resize(8", "resize(8)|flip_lr(", "resize(x)", "resize (8)", "onehot()", "keep", "keep()", "copy('a')", "1", "resize(8)|1",
]


def attempt(fn):
  try:
    return fn()
  except Exception as e:  # pylint: disable=broad-exception-caught
    return {"error": type(e).__name__}


def parse(spec):
  name, args, kwargs = registry.parse_name(spec)
  text = json.dumps(dict(name=name, args=args, kwargs=kwargs))  # Fails for sets, bytes and complex numbers.
  return json.loads(text)


def main():
  c.clear("registry_")
  c.save_case(
      "registry_parse_name", kind="pp", name="registry:parse_name", args=dict(specs=SPECS),
      outputs=dict(result=json.dumps([attempt(lambda s=s: parse(s)) for s in SPECS])), string_outputs=["result"],
      note="result is JSON (tuples as lists). `error`: parsing must fail, or gives a value (bytes, a set, a complex number) that "
      "JSON has not.")

  c.save_case(
      "registry_parse_quirks", kind="pp", name="registry:parse_name", args=dict(specs=QUIRKS),
      outputs=dict(result=json.dumps([attempt(lambda s=s: parse(s)) for s in QUIRKS])), string_outputs=["result"],
      only_for_tests=True, note="oddities that Python's parser lets through: an expression that is a name or an attribute is taken verbatim, and "
      "of two equal keywords the last wins. Failing instead is as good.")

  def build(pipeline):
    builder.get_preprocess_fn(pipeline, log_data=False)
    return "ok"
  for label, pipelines in (("builder", PIPELINES), ("builder_lenient", LENIENT)):
    c.save_case(
        f"registry_{label}", kind="pp", name="builder:get_preprocess_fn", args=dict(pipelines=pipelines),
        outputs=dict(result=json.dumps([attempt(lambda p=p: build(p)) for p in pipelines])), string_outputs=["result"],
        only_for_tests=pipelines is LENIENT,
        note="which pipelines can be built. The string is split at every |, within quotes too; the ops are called when "
        "the pipeline is built, so that wrong arguments fail then.")


if __name__ == "__main__":
  main()
