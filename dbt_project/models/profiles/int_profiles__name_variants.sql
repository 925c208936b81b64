{#
One row per customer and name of theirs that is a lesser form of another name of theirs: an initial,
a short form, or a spelling that fewer customers bear than one or two letters beside it.
#}

with

claims as (

    select * from {{ ref('int_profiles__claims') }}
    where field in ('first_name', 'last_name') and value_key is not null

),

nicknames as (

    select * from {{ ref('int_profiles__nicknames') }}

),

bearers as (

    select
        field,
        value_key,
        count(distinct customer_id) as customers
    from claims
    group by field, value_key

),

names as (

    select distinct
        claims.customer_id,
        claims.field,
        claims.value_key,
        bearers.customers
    from claims
    inner join bearers
        on claims.field = bearers.field and claims.value_key = bearers.value_key

),

pairs as (

    select
        lesser.customer_id,
        lesser.field,
        lesser.value_key,
        fuller.value_key as fuller_key,
        case
            when
                length(lesser.value_key) = 1 and fuller.value_key like lesser.value_key || '_%'
                then 'initial'
            when nicknames.full_form is not null then 'short form'
            when
                lesser.customers < fuller.customers
                and length(lesser.value_key) > 2
                and {{ edits('lesser.value_key', 'fuller.value_key') }}
                <= case when length(lesser.value_key) > 4 then 2 else 1 end
                then 'rarer spelling'
        end as kind
    from names as lesser
    inner join names as fuller
        on
            lesser.customer_id = fuller.customer_id
            and lesser.field = fuller.field
            and lesser.value_key <> fuller.value_key
    left join nicknames
        on
            lesser.field = 'first_name'
            and lesser.value_key = nicknames.short_form
            and fuller.value_key = nicknames.full_form

),

final as (

    select * from pairs
    where kind is not null

)

select * from final
