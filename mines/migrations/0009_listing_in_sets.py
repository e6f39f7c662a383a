"""List many mines at once as cheaply as sets allow; what the rows say stays the same."""

from django.db import migrations

# All pairs that begin at an odd place, then all others; a pair over the end of a line holds the
# break, and nobody looks for it. Going through tsvector makes the pairs single.
BIGRAMS = r"""
CREATE OR REPLACE FUNCTION mines_bigrams(words text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT tsvector_to_array(array_to_tsvector(
        string_to_array(
            rtrim(regexp_replace(words, '(..)', E'\\1\x1f', 'g'), E'\x1f'), E'\x1f'
        ) || string_to_array(
            rtrim(regexp_replace(substr(words, 2), '(..)', E'\\1\x1f', 'g'), E'\x1f'), E'\x1f'
        )
    ))
$$;
"""

# Planned for the number of mines it is asked for: for one by index, for thousands by hash.
LIST = """
CREATE OR REPLACE FUNCTION mines_list(changed bigint[]) RETURNS void LANGUAGE plpgsql
SET jit = off SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    PERFORM FROM mines_mine WHERE id = ANY(changed) ORDER BY id FOR NO KEY UPDATE;
    DELETE FROM mines_listedmine AS listed
    WHERE listed.mine_id = ANY(changed) AND NOT EXISTS (
        SELECT FROM mines_mine AS mine
        WHERE mine.id = listed.mine_id AND mine.removed_on IS NULL
    );
    INSERT INTO mines_listedmine AS listed (
        mine_id, registry_no, name, county_id, county_order, holder, mineral_id, is_sand_stone,
        minimum_key, method, state, service_life_years, licence_ends, scale_wan_t, least_scale,
        area_km2, as_of, words, bigrams
    )
    SELECT mine.id, mine.registry_no, mine.name, mine.county_id, county."order", holder.name,
        mine.mineral_id,
        coalesce(mineral.facts -> 'is_ordinary_sand_stone' = 'true', false),
        CASE WHEN mineral.facts ? 'minimum_unclear' THEN ''
            ELSE coalesce(mineral.facts ->> 'seed_rule_key', '') END,
        mine.method, mine.state, mine.service_life_years,
        licence.ends, systems.total, systems.least, boundary.area_km2, mine.as_of,
        said.words, mines_bigrams(said.words)
    FROM mines_mine AS mine
    JOIN taskforce_county AS county ON county.code = mine.county_id
    JOIN mines_holder AS holder ON holder.id = mine.holder_id
    JOIN mines_mineral AS mineral ON mineral.code = mine.mineral_id
    LEFT JOIN (
        SELECT mine_id, area_km2 FROM mines_boundary WHERE mine_id = ANY(changed)
    ) AS boundary ON boundary.mine_id = mine.id
    LEFT JOIN (
        SELECT mine_id, max(valid_to) AS ends, string_agg(DISTINCT number, chr(10)) AS numbers
        FROM mines_licence WHERE mine_id = ANY(changed) GROUP BY mine_id
    ) AS licence ON licence.mine_id = mine.id
    LEFT JOIN (
        SELECT digging.id, min(tonnes) AS least,
            CASE WHEN bool_and(tonnes IS NOT NULL) THEN sum(tonnes) END AS total
        FROM mines_productionsystem AS system
        JOIN mines_mine AS digging ON digging.id = system.mine_id,
        LATERAL (
            SELECT CASE system.unit WHEN 'wan_t' THEN system.design_scale
                WHEN 'wan_m3' THEN system.design_scale * digging.density END AS tonnes
        ) AS known
        WHERE system.mine_id = ANY(changed) GROUP BY digging.id
    ) AS systems ON systems.id = mine.id
    CROSS JOIN LATERAL (
        SELECT lower(normalize(concat_ws(chr(10), mine.name, holder.name, mine.registry_no,
            nullif(mine.township, ''), licence.numbers), NFKC)) AS words OFFSET 0
    ) AS said
    WHERE mine.id = ANY(changed) AND mine.removed_on IS NULL
    ON CONFLICT (mine_id) DO UPDATE SET
        registry_no = excluded.registry_no, name = excluded.name,
        county_id = excluded.county_id, county_order = excluded.county_order,
        holder = excluded.holder, mineral_id = excluded.mineral_id,
        is_sand_stone = excluded.is_sand_stone, minimum_key = excluded.minimum_key,
        method = excluded.method, state = excluded.state,
        service_life_years = excluded.service_life_years,
        licence_ends = excluded.licence_ends, scale_wan_t = excluded.scale_wan_t,
        least_scale = excluded.least_scale, area_km2 = excluded.area_km2,
        as_of = excluded.as_of, words = excluded.words, bigrams = excluded.bigrams
    WHERE listed.* IS DISTINCT FROM excluded.*;
END
$$;
"""


class Migration(migrations.Migration):
    """Replace two functions; the rows take the new form of their pairs when they change."""

    dependencies = [("mines", "0008_set_based_history")]

    operations = [
        migrations.RunSQL(BIGRAMS, migrations.RunSQL.noop),
        migrations.RunSQL(LIST, migrations.RunSQL.noop),
    ]
