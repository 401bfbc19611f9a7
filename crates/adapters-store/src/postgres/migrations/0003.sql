-- Who waits for a slot of the platform, in order.

-- Whether whoever runs a job took it over from a worker that died.
ALTER TABLE jobs ADD COLUMN taken_over boolean NOT NULL DEFAULT false;

-- Since when a job waits, and for how many slots.
ALTER TABLE slots_wanted ADD COLUMN since bigint NOT NULL DEFAULT 0, ADD COLUMN wants bigint NOT NULL DEFAULT 1;
