// Curves as SVG, drawn without a browser. Loaded only where something is plotted: the library is large.

import { init, use } from 'echarts/core';
import { LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { SVGRenderer } from 'echarts/renderers';

use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

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

/** One plot as the text of an SVG file; the same plot gives the same text. */
export function linePlot({ title, x, y, curves, width = 720, height = 420 }: LinePlot): string {
  const axis = ({ name, log }: Axis, nameGap: number) => ({
    type: log ? ('log' as const) : ('value' as const),
    name,
    nameLocation: 'middle' as const,
    nameGap,
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
      title: { text: title, left: 'center', top: 8, textStyle: { fontSize: 14, fontWeight: 'normal' } },
      legend: {
        top: 36,
        icon: 'rect',
        itemWidth: 22,
        itemHeight: 3,
        data: curves.map((curve) => curve.name),
      },
      grid: { left: 64, right: 24, top: 68, bottom: 52 },
      xAxis: axis(x, 30),
      yAxis: axis(y, 46),
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
