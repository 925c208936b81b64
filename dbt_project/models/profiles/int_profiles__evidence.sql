{# One row per claim with what it counts for by the rules: trust, quality, and how it is written. #}

with

claims as (

    select * from {{ ref('int_profiles__claims') }}

),

survivorship as (

    select * from {{ ref('survivorship') }}

),

field_trusts as (

    select * from {{ ref('survivorship_trust') }}

),

trusts as (

    select * from {{ ref('source_trust') }}

),

qualities as (

    select * from {{ ref('int_profiles__qualities') }}

),

final as (

    select
        claims.customer_id,
        claims.record_key,
        claims.source,
        claims.field,
        claims.value,
        claims.value_key,
        claims.street,
        claims.city,
        claims.postcode,
        claims.told_at,
        claims.loaded_at,
        claims.told_on,
        claims.known_on,
        survivorship.method,
        cast(survivorship.half_life_days as double) as half_life_days,
        coalesce(survivorship.max_age_days, 999999) as max_age_days,
        coalesce(field_trusts.trust, trusts.trust, 1) as trust,
        {# Who does not log in types an address into a form, and anybody can type any. #}
        coalesce(
            qualities.quality,
            case when claims.record_key like 'web:visitor:%' then 'typed into a form' end
        ) as quality,
        case
            when qualities.use = 'never' then 2
            when qualities.use = 'last_resort' or claims.record_key like 'web:visitor:%' then 1
            else 0
        end as defect,
        {# Of two spellings of one value the one with capitals and small letters is shown. #}
        claims.value <> upper(claims.value) and claims.value <> lower(claims.value) as is_mixed_case
    from claims
    inner join survivorship on claims.field = survivorship.field
    left join trusts on claims.source = trusts.source
    left join field_trusts
        on claims.field = field_trusts.field and claims.source = field_trusts.source
    left join qualities
        on claims.field = qualities.field and claims.value_key = qualities.value_key
    where coalesce(field_trusts.trust, trusts.trust, 1) > 0

)

select * from final
