{# One row per channel and month, with its revenue under each model and how far they are apart. #}

with

attribution as (

    select * from {{ ref('attribution') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

months as (

    select
        marketing_channel,
        {%- for model in attribution_models() %}
        cast(
            sum(case when attribution_model = '{{ model }}' then credited_revenue else 0 end)
            as decimal(18, 3)
        ) as {{ model }},
        {%- endfor %}
        cast(date_trunc('month', ordered_at) as date) as month
    from attribution
    group by marketing_channel, cast(date_trunc('month', ordered_at) as date)

),

final as (

    select
        months.*,
        cast(
            greatest({{ attribution_models() | join(', ') }})
            - least({{ attribution_models() | join(', ') }}) as decimal(18, 3)
        ) as disagreement,
        months.month < cast(date_trunc('month', as_of.as_of) as date) as is_whole_month
    from months
    cross join as_of

)

select * from final
