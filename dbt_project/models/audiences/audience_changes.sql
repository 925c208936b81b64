{#
One row per entry into or exit from an audience, in the order of the refreshes that saw it.

A ledger: what was true before cannot be derived from what is true now, so rows are only added,
and a full refresh of dbt does not rebuild it.
#}
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

with

members as (

    select * from {{ ref('audience_members') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

{% if is_incremental() %}
history as (

    select
        *,
        row_number() over (
            partition by audience, customer_id order by change_number desc
        ) as recency
    from {{ this }}

),

last_change as (

    select coalesce(max(change_number), 0) as change_number from {{ this }}

),

known as (

    select
        audience,
        customer_id
    from history
    where recency = 1 and change = 'enter'

),
{% else %}
last_change as (

    select cast(0 as bigint) as change_number

),

known as (

    select
        audience,
        customer_id
    from members
    where false

),
{% endif %}

changed as (

    select
        members.audience,
        members.customer_id,
        'enter' as change,
        members.reason
    from members
    left join known
        on members.audience = known.audience and members.customer_id = known.customer_id
    where known.customer_id is null
    union all
    select
        known.audience,
        known.customer_id,
        'exit' as change,
        'no longer fits, or consent is gone' as reason
    from known
    left join members
        on known.audience = members.audience and known.customer_id = members.customer_id
    where members.customer_id is null

),

final as (

    select
        changed.audience,
        changed.customer_id,
        changed.change,
        changed.reason,
        as_of.as_of,
        last_change.change_number + 1 as change_number
    from changed
    cross join as_of
    cross join last_change

)

select * from final
