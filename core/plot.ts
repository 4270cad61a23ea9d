// Curves as SVG, drawn without a browser. Loaded only where something is plotted: the library is large.

import { init, setPlatformAPI, use } from 'echarts/core';
import { LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { SVGRenderer } from 'echarts/renderers';

use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

/** The font is whoever's shows the SVG: no narrower than the wide ones, on average, so that names don't overlap. */
const textWidth = (text: string, fontSize = 12) => 0.6 * fontSize * text.length;
setPlatformAPI({
  measureText: (text, font = '') => ({ width: textWidth(text, Number(/([\d.]+)px/.exec(font)?.[1] ?? 12)) }),
});

export interface Axis {
  readonly name: string;
  /** Values must be positive. */
  readonly log?: boolean;
}

export interface Curve {
  readonly name: string;
  /** (x, y); a y that isn't finite leaves a gap. */
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly dashed?: boolean;
  /** Marks each point, for curves of a few measurements. */
  readonly marked?: boolean;
}

export interface LinePlot {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly curves: readonly Curve[];
  /** Pixels. */
  readonly width?: number;
  readonly height?: number;
}

/** Readable on white, and told apart with the common kinds of colour blindness (Okabe and Ito, 2008). */
const colours = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000'];

const margin = 24;
/** Of what stands above the plot, from the top. */
const [titleTop, legendTop, plotTop] = [8, 36, 68];
const bottom = 52;
const legend = { itemWidth: 22, itemHeight: 3, itemGap: 10 };
const legendLine = 18;

/** In one line if they fit, else a line for each name. */
function legendOf(names: readonly string[], width: number) {
  const { itemWidth, itemGap } = legend;
  const widths = names.map((name) => itemWidth + textWidth(name) + 2 * itemGap);
  const fits = widths.reduce((sum, one) => sum + one, 0) <= width;
  return { orient: fits ? ('horizontal' as const) : ('vertical' as const), lines: fits ? 1 : names.length };
}

/** One plot as the text of an SVG file; the same plot gives the same text. Texts that are too long end in dots. */
export function linePlot({ title, x, y, curves, width = 720, height: asked = 420 }: LinePlot): string {
  const names = curves.map(({ name }) => name);
  const inside = width - 2 * margin;
  const { orient, lines } = legendOf(names, inside);
  const below = (lines - 1) * legendLine;
  const height = asked + below;
  const axis = ({ name, log }: Axis, nameGap: number, length: number) => ({
    type: log ? ('log' as const) : ('value' as const),
    name,
    nameLocation: 'middle' as const,
    nameGap,
    nameTruncate: { maxWidth: length },
    scale: true,
    axisLine: { show: true },
    axisLabel: { color: '#444' },
    splitLine: { lineStyle: { color: '#e6e6e6' } },
  });
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#fff',
      color: colours,
      title: {
        text: title,
        left: 'center',
        top: titleTop,
        textStyle: { fontSize: 14, fontWeight: 'normal', width: inside, overflow: 'truncate' },
      },
      legend: {
        ...legend,
        orient,
        left: 'center',
        top: legendTop,
        icon: 'rect',
        data: names,
        textStyle: { width: inside - legend.itemWidth, overflow: 'truncate' },
      },
      grid: { left: 64, right: margin, top: plotTop + below, bottom },
      xAxis: axis(x, 30, inside),
      yAxis: axis(y, 46, asked - plotTop - bottom),
      series: curves.map(({ name, points, dashed, marked }) => ({
        type: 'line' as const,
        name,
        data: points.map(([at, value]) => [at, Number.isFinite(value) ? value : null]),
        showSymbol: marked ?? points.length < 2,
        symbolSize: 7,
        lineStyle: { width: 1.5, type: dashed ? ('dashed' as const) : ('solid' as const) },
      })),
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}
