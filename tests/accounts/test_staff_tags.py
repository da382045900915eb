from django.utils.safestring import mark_safe

from accounts.templatetags.staff import named_cells


class TestNamedCells:
    def test_tell_each_cell_what_its_column_is_called(self):
        cells = [mark_safe('<th class="field-x"><a href="">1</a></th>'), mark_safe("<td>2 <td</td>")]
        headers = [{"text": "number", "class_attrib": ""}, {"text": 'a "b"'}]

        assert named_cells(cells, headers) == (
            '<th data-label="Number" class="field-x"><a href="">1</a></th><td data-label="A &quot;b&quot;">2 <td</td>'
        )

    def test_leave_the_checkbox_alone(self):
        box = mark_safe('<td class="action-checkbox"><input></td>')

        assert named_cells([box], [{"text": "x", "class_attrib": ' class="action-checkbox-column"'}]) == box
