{# One row: the last day on which a record told something, from which its age is counted. #}

with

evidence as (

    select * from {{ ref('int_profiles__evidence') }}

),

final as (

    select max(told_on) as evidence_reaches from evidence

)

select * from final
