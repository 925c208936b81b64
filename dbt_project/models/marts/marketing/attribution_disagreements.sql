{# One row per channel and month, with its revenue under each model and how far they are apart. #}

with

attribution as (

    select * from {{ ref('attribution') }}

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
        *,
        cast(
            greatest({{ attribution_models() | join(', ') }})
            - least({{ attribution_models() | join(', ') }}) as decimal(18, 3)
        ) as disagreement
    from months

)

select * from final
