// What only some tasks have: the views that say what the whole model did with what it read.
import { alikeView } from './alike';
import { beamView } from './beam';
import { expectationsView } from './expectations';
import { forecastView } from './forecast';
import { linksView } from './links';
import { runningView } from './running';
import { speechView } from './speech';
import type { Stage, View } from './stage';
import { tagsView } from './tags';
import { translationView } from './translation';

/** Each is null for a trace without its part. */
export const TASK_VIEWS: ((stage: Stage) => View | null)[] = [
  forecastView, speechView, alikeView, linksView, beamView, translationView, runningView, tagsView, expectationsView,
];
