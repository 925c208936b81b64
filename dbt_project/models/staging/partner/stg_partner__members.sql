{# One row per member of the revision in force of a data set; none after it expires. #}

with

source as (

    select * from {{ source('raw_partner', 'members') }}

),

renamed as (

    select
        {{ clean_text('partner_member_id') }} as partner_member_id,
        lower({{ clean_text('email_sha256') }}) as email_sha256,
        lower({{ clean_text('loyalty_number') }}) as loyalty_number,
        lower({{ clean_text('household_income_band') }}) as household_income_band,
        {{ clean_text('interests') }} as interests,
        home_owner as is_home_owner,
        as_of,
        coalesce(data_set, 'partner') as data_set,
        provider,
        licence,
        purpose,
        revision,
        valid_from,
        expires_on,
        _dlt_load_id as load_id,
        origin
    from source

),

{# A revision that was sent again stands as it came last, with the terms of that time. #}
last_sent as (

    select
        *,
        max(load_id) over (partition by data_set, provider, revision) as last_load_id
    from renamed

),

{# What began last is in force, so a new revision takes over without a gap. #}
in_force as (

    select
        *,
        dense_rank() over (
            partition by data_set, provider order by valid_from desc, revision desc
        ) as turn
    from last_sent
    where
        load_id = last_load_id
        and valid_from <= {{ today() }}
        and expires_on > {{ today() }}

),

numbered as (

    select
        *,
        row_number() over (
            partition by data_set, provider, partner_member_id
            order by as_of desc nulls last, origin desc
        ) as version
    from in_force
    where turn = 1

),

deduplicated as (

    select {{ all_but(['load_id', 'origin', 'last_load_id', 'turn', 'version']) }} from numbered
    where version = 1

)

select * from deduplicated
