{# The sum of an expression over this model equals the sum of another over another model. #}
{% test same_total(model, expression, other_model, other_expression) %}
    select
        ours.total as our_total,
        theirs.total as their_total
    from (select coalesce(sum({{ expression }}), 0) as total from {{ model }}) as ours
    cross join
        (select coalesce(sum({{ other_expression }}), 0) as total from {{ other_model }}) as theirs
    where ours.total <> theirs.total
{% endtest %}
